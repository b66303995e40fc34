// face: libaio
/* O_DIRECT as it stood at io_submit is what counts: the program may flip it with fcntl straight after
   [A5] (GlusterFS flips it around the call). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0), flags = fcntl(fd, F_GETFL);
    io_context_t context = make_context(16);
    char *buffer = aligned(8 * 4096), odd[8][100];
    struct iocb iocbs[8], *list[8];
    struct io_event events[8];

    for (int round = 0; round < 100; round++) {
        int direct = round % 2;

        CHECK(fcntl(fd, F_SETFL, direct ? flags : flags & ~O_DIRECT) == 0);
        for (int i = 0; i < 8; i++) {
            list[i] = &iocbs[i];
            /* Aligned for nobody: works buffered, EINVAL direct. */
            io_prep_pread(&iocbs[i], fd, odd[i], 100, i * 1000 + 1);
            if (direct)
                io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, i * 4096);
        }
        CHECK_INT(io_submit(context, 8, list), 8);
        CHECK(fcntl(fd, F_SETFL, direct ? flags & ~O_DIRECT : flags) == 0);
        reap(context, 8, events);
        for (int i = 0; i < 8; i++)
            CHECK_INT((long)events[i].res, direct ? 4096 : 100);
        if (direct)
            check_pattern_at(buffer, 8 * 4096, 0, 0);
        for (int i = 0; !direct && i < 8; i++)
            check_pattern_at(odd[i], 100, 0, i * 1000 + 1);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
