/* exit while other threads wait in aio_suspend and lio_listio(LIO_WAIT), and while callbacks run [B16] [C3]. */
#include "aiocb.h"
#include "process.h"

static int ends[2];
static _Atomic pid_t waiter[2];
static sem_t called;

static void *suspend(void *unused)
{
    char in;
    struct aiocb cb = make_cb(ends[0], &in, 1, 0);
    const struct aiocb *list[] = { &cb };

    CHECK_INT(aio_read(&cb), 0);
    waiter[0] = this_thread();
    aio_suspend(list, 1, NULL);
    return unused;
}

static void *list_and_wait(void *unused)
{
    char in;
    struct aiocb cb = make_cb(ends[0], &in, 1, 0), *list[] = { &cb };

    cb.aio_lio_opcode = LIO_READ;
    waiter[1] = this_thread();
    lio_listio(LIO_WAIT, list, 1, NULL);
    return unused;
}

static void sleeps(union sigval value)
{
    (void)value;
    sem_post(&called);
    for (;;)
        pause();
}

int main(void)
{
    for (int way = 0; way < 3; way++) {
        pid_t child = MUST(fork());
        if (child == 0) {
            static struct aiocb cb;
            static char in;

            sem_init(&called, 0, 0);
            make_pipe(ends);
            start_thread(suspend, NULL);
            start_thread(list_and_wait, NULL);
            cb = make_cb(temp_file(O_RDWR), &in, 1, 0);
            notify_by_thread(&cb, sleeps, NULL);
            CHECK_INT(aio_read(&cb), 0);
            AWAIT(&called);
            for (int i = 0; i < 2; i++)
                WAIT_UNTIL(waiter[i] && thread_sleeps(waiter[i]));
            if (way == 0)
                return 9;
            if (way == 1)
                exit(9);
            _exit(9);
        }
        CHECK_CHILD(child, 9);
    }
    return 0;
}
