// face: libaio
/* A signal to the process while every thread of the program blocks it stays pending until sigwait: no thread of the
   library takes it, its handler does not run [C4]. */
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
    int fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0);
    io_context_t context = make_context(8);
    char *buffer = aligned(4096);
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigaddset(&blocked, SIGTERM);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(sigaction(SIGTERM, &action, NULL) == 0);
    for (int round = 0; round < 50; round++) {
        struct timespec now = {0, 0};
        struct io_event event;
        struct iocb iocb;
        siginfo_t info;

        io_prep_pread(&iocb, fd, buffer, 4096, 0);
        submit_one(context, &iocb);
        /* Blocked only after the library may have started what it starts. */
        CHECK(pthread_sigmask(SIG_BLOCK, &blocked, NULL) == 0);
        CHECK(kill(getpid(), round % 2 ? SIGUSR1 : SIGTERM) == 0);
        reap(context, 1, &event);
        CHECK_INT((long)event.res, 4096);
        CHECK_INT(sigtimedwait(&blocked, &info, &now), round % 2 ? SIGUSR1 : SIGTERM);
        CHECK_INT(handled, 0);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
