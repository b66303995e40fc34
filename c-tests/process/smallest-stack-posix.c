/* Each call of POSIX AIO may be the first of the process and come from a thread with the smallest stack (PTHREAD_STACK_MIN), also
   one that needs worker threads: a pipe, an aio_fsync, a list, a callback on such a stack [C4] [C6].

   glibc runs its own helper on a stack of that size (sysdeps/pthread/aio_misc.h), and so do programs with many threads. */
#include "aiocb.h"
#include "behaviour.h"

static pthread_attr_t smallest;
static sem_t called;

static void read_a_pipe(void)
{
    int ends[2];
    char in;
    struct aiocb cb;

    MUST(pipe2(ends, O_CLOEXEC));
    cb = make_cb(ends[0], &in, 1, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&cb, 1);
}

static void flush_a_file(void)
{
    struct aiocb cb = make_cb(pattern_file(O_RDWR, 100, 1), NULL, 0, 0);

    CHECK_INT(aio_fsync(O_SYNC, &cb), 0);
    CHECK_DONE(&cb, 0);
}

static void wait_for_a_list(void)
{
    char in[100];
    struct aiocb cb = make_cb(pattern_file(O_RDWR | O_APPEND, 100, 1), in, sizeof in, 0), *list[] = { &cb };

    cb.aio_lio_opcode = LIO_WRITE;
    CHECK_INT(lio_listio(LIO_WAIT, list, 1, NULL), 0);
    CHECK_DONE(&cb, sizeof in);
}

static void read_past_the_cache(void)
{
    static char bytes[4096] __attribute__((aligned(4096)));
    struct aiocb cb = make_cb(pattern_file(O_RDWR, 4096, 1), bytes, sizeof bytes, 0);

    cb.aio_fildes = reopen(cb.aio_fildes, O_RDONLY | O_DIRECT);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, 4096);
}

static void callback(union sigval value)
{
    ((void (*)(void))value.sival_ptr)();
    sem_post(&called);
}

/* The callback's thread makes the calls, the first of which needs what no other has started. */
static void be_called(void)
{
    char in[100];
    struct aiocb cb = make_cb(pattern_file(O_RDWR, 100, 1), in, sizeof in, 0);

    notify_by_thread(&cb, callback, read_a_pipe);
    cb.aio_sigevent.sigev_notify_attributes = &smallest;
    CHECK_INT(aio_read(&cb), 0);
    AWAIT(&called);
    CHECK_DONE(&cb, sizeof in);
}

static void *run(void *first)
{
    ((void (*)(void))first)();
    return NULL;
}

int main(void)
{
    static void (*const each[])(void) = { read_a_pipe, flush_a_file, wait_for_a_list, read_past_the_cache, be_called };

    start_deadline();
    sem_init(&called, 0, 0);
    pthread_attr_init(&smallest);
    CHECK_INT(pthread_attr_setstacksize(&smallest, PTHREAD_STACK_MIN), 0);
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        pid_t child = MUST(fork());

        if (child == 0) {
            pthread_t thread;

            CHECK_INT(pthread_create(&thread, &smallest, run, each[i]), 0);
            join_thread(thread);
            return 0;
        }
        CHECK_CHILD(child, 0);
    }
    return 0;
}
