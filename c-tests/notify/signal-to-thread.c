/* SIGEV_THREAD_ID sends the signal to the thread that it names [B6] (Linux, sigevent(3type)). */
// oracle-deadline: 2
#include "aiocb.h"
#include "process.h"

static sem_t ready, taken;
static _Atomic pid_t target;

static void *taker(void *unused)
{
    (void)unused;
    target = this_thread();
    sem_post(&ready);
    for (int i = 0; i < 20; i++) {
        siginfo_t info = take_signal(SIGRTMIN);

        CHECK_INT(info.si_value.sival_int, i);
        CHECK_INT(info.si_code, SI_ASYNCIO);
        sem_post(&taken);
    }
    return NULL;
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);
    char in[10];

    sem_init(&ready, 0, 0);
    sem_init(&taken, 0, 0);
    block_signal(SIGRTMIN);
    pthread_t thread = start_thread(taker, NULL);
    AWAIT(&ready);
    for (int i = 0; i < 20; i++) {
        struct aiocb cb = make_cb(fd, in, sizeof in, 0);

        notify_by_signal(&cb, SIGRTMIN, i);
        cb.aio_sigevent.sigev_notify = SIGEV_THREAD_ID;
        cb.aio_sigevent._sigev_un._tid = target;
        CHECK_INT(aio_read(&cb), 0);
        /* It is pending for that thread alone, so this one cannot take it away. */
        AWAIT(&taken);
        CHECK_DONE(&cb, sizeof in);
    }
    join_thread(thread);
    return 0;
}
