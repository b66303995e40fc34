// face: libaio
/* io_getevents@LIBAIO_0.1 has four arguments and waits for one event [A14] [C9] (programs linked before 2003). */
#include "iocb.h"

int old_getevents(io_context_t context, long nr, struct io_event *events, const struct timespec *timeout);
__asm__(".symver old_getevents, io_getevents@LIBAIO_0.1");

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0);
    io_context_t context = make_context(8);
    const struct timespec now = {0, 0}, soon = {0, 1000000}, hour = {3600, 0};
    struct io_event events[8];
    struct iocb iocbs[4], *list[4];
    char *buffer = aligned(4 * 4096);
    int have = 0;

    CHECK_INT(old_getevents(context, 8, events, &now), 0);
    CHECK_INT(old_getevents(context, 8, events, &soon), 0);
    CHECK_INT(old_getevents(context, 0, events, &soon), -EINVAL); /* min_nr is 1 */
    for (int i = 0; i < 4; i++) {
        list[i] = &iocbs[i];
        io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, i * 4096);
    }
    CHECK_INT(io_submit(context, 4, list), 4);
    /* NULL and long timeouts block until something is there. */
    while (have < 4) {
        int n = old_getevents(context, 2, events + have, have ? &hour : NULL);

        CHECK(n == 1 || n == 2);
        have += n;
    }
    for (int i = 0; i < 4; i++)
        CHECK_INT((long)events[i].res, 4096);
    CHECK_INT(old_getevents(context, 8, events, &now), 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
