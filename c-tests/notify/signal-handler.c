/* When the handler of the signal runs, the request is over: aio_error and aio_return give its result [B6] (the status is
   visible first). */
#include "aiocb.h"
#include "process.h"

#define N 300

static int fd;
static char in[N];
static struct aiocb cb[N];
static volatile int done, wrong;

static void handler(int signal, siginfo_t *info, void *context)
{
    struct aiocb *self = info->si_value.sival_ptr;

    (void)signal;
    (void)context;
    if (aio_error(self) != 0 || aio_return(self) != 1)
        wrong++;
    done++;
}

int main(void)
{
    sigset_t blocked, open;

    fd = pattern_file(O_RDWR, N, 1);
    on_signal(SIGRTMIN, handler, SA_RESTART);
    block_signal(SIGRTMIN);
    sigemptyset(&open);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    pthread_sigmask(SIG_SETMASK, NULL, &open);
    sigdelset(&open, SIGRTMIN);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(fd, &in[i], 1, i);
        notify_by_signal(&cb[i], SIGRTMIN, 0);
        cb[i].aio_sigevent.sigev_value.sival_ptr = &cb[i];
        CHECK_INT(aio_read(&cb[i]), 0);
        if (i % 3 == 0) /* some in bursts */
            while (done <= i)
                sigsuspend(&open);
    }
    while (done < N)
        sigsuspend(&open);
    CHECK_INT(wrong, 0);
    CHECK_INT(done, N);
    return 0;
}
