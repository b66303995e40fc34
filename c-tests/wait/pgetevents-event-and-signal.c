// face: libaio
/* Both an event and a signal that the mask lets in: the count is returned, and the handler has run [A7] (fs/aio.c
   io_pgetevents). */
#include "iocb.h"

static _Atomic int handled;

static void handler(int number)
{
    (void)number;
    handled++;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler};
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(8);
    sigset_t blocked, none;
    struct io_event event;
    struct iocb iocb;
    char buffer[16];

    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &blocked, NULL) == 0);
    io_prep_pread(&iocb, fd, buffer, 16, 0);
    for (int round = 0; round < 100; round++) {
        submit_one(context, &iocb);
        WAIT_UNTIL(ring_ready(context) == 1);
        CHECK(raise(SIGUSR1) == 0);
        CHECK_INT(io_pgetevents(context, 1, 1, &event, NULL, &none), 1);
        CHECK(event.obj == &iocb);
        CHECK_INT(handled, round + 1);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
