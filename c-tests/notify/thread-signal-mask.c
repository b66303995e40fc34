/* A callback's thread does not inherit the signals that the program blocks: a signal can interrupt it, because
   glibc unblocks all [B6]. */
#include "aiocb.h"
#include "process.h"

static sem_t called;

static void callback(union sigval value)
{
    sigset_t mask;

    (void)value;
    CHECK_INT(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    for (int signal = 1; signal <= SIGRTMAX; signal++)
        if (sigismember(&mask, signal) == 1)
            FAIL("signal %d is blocked in the callback", signal);
    sem_post(&called);
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);
    char in[10];
    sigset_t all;

    sem_init(&called, 0, 0);
    sigfillset(&all);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &all, NULL), 0);
    for (int i = 0; i < 20; i++) {
        struct aiocb cb = make_cb(fd, in, sizeof in, 0);

        notify_by_thread(&cb, callback, NULL);
        CHECK_INT(aio_read(&cb), 0);
        AWAIT(&called);
    }
    return 0;
}
