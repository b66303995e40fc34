// face: libaio
/* A thread waits in io_getevents for four events. Two come from cached reads, and are taken; the other two come from O_DIRECT
   reads that begin later. It gets four [A7]. */
#include "iocb.h"
#include "direct.h"

static io_context_t context;

static void *waits(void *argument)
{
    struct io_event events[4];

    (void)argument;
    CHECK_INT(io_getevents(context, 4, 4, events, NULL), 4);
    for (int i = 0; i < 4; i++)
        CHECK_INT((long)events[i].res, BLOCK);
    return NULL;
}

int main(void)
{
    int direct = direct_file(), cached = reopen(direct, O_RDWR);
    char *buffer = aligned(4 * BLOCK);
    struct iocb iocbs[4];
    pthread_t thread;

    alarm(DEADLINE_SECONDS);
    context = make_context(16);
    CHECK_INT(pread(cached, buffer, 2 * BLOCK, 0), 2 * BLOCK);
    for (int i = 0; i < 4; i++) {
        io_prep_pread(&iocbs[i], i < 2 ? cached : direct, buffer + i * BLOCK, BLOCK, i * BLOCK);
        submit_one(context, &iocbs[i]);
        if (i == 1) {
            CHECK(pthread_create(&thread, NULL, waits, NULL) == 0);
            WAIT_UNTIL(ring_ready(context) == 0);
        }
    }
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
