// face: libaio
/* Each request of libaio may be the first of the process and come from a thread with the smallest stack (PTHREAD_STACK_MIN), also
   one that needs worker threads: a poll that waits, an fsync, reads with and without O_DIRECT [C4] [C6]. */
#include "behaviour.h"
#include "iocb.h"

static io_context_t context;

static void end_with(struct iocb *iocb, long result)
{
    struct io_event event;

    submit_one(context, iocb);
    reap(context, 1, &event);
    CHECK_INT((long)event.res, result);
}

static void wait_for_a_pipe(void)
{
    struct io_event event;
    struct iocb iocb;
    sigset_t none;
    int ends[2];

    sigemptyset(&none);
    MUST(pipe2(ends, O_CLOEXEC));
    io_prep_poll(&iocb, ends[0], POLLIN);
    submit_one(context, &iocb);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_INT(io_pgetevents(context, 1, 1, &event, wait_limit(), &none), 1);
    CHECK_INT((long)event.res & POLLIN, POLLIN);
}

static void cancel_a_poll(void)
{
    struct io_event event;
    struct iocb iocb;
    int ends[2];

    MUST(pipe2(ends, O_CLOEXEC));
    io_prep_poll(&iocb, ends[0], POLLIN);
    submit_one(context, &iocb);
    CHECK_INT(io_cancel(context, &iocb, &event), -EINPROGRESS);
    CHECK_INT(io_destroy(context), 0);
    context = make_context(4);
}

static void flush_a_file(void)
{
    struct iocb iocb;

    io_prep_fsync(&iocb, pattern_file(O_RDWR, 100, 1));
    end_with(&iocb, 0);
}

static void read_a_file(void)
{
    char in[100];
    struct iocb iocb;

    io_prep_pread(&iocb, pattern_file(O_RDWR, 100, 1), in, sizeof in, 0);
    end_with(&iocb, sizeof in);
}

static void read_past_the_cache(void)
{
    static char bytes[4096] __attribute__((aligned(4096)));
    struct iocb iocb;

    io_prep_pread(&iocb, reopen(pattern_file(O_RDWR, 4096, 1), O_RDONLY | O_DIRECT), bytes, sizeof bytes, 0);
    end_with(&iocb, 4096);
}

static void *run(void *first)
{
    context = make_context(4);
    ((void (*)(void))first)();
    CHECK_INT(io_destroy(context), 0);
    return NULL;
}

int main(void)
{
    static void (*const each[])(void) = { wait_for_a_pipe, cancel_a_poll, flush_a_file, read_a_file, read_past_the_cache };

    start_deadline();
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        pid_t child = MUST(fork());

        if (child == 0) {
            pthread_attr_t smallest;
            pthread_t thread;

            pthread_attr_init(&smallest);
            CHECK_INT(pthread_attr_setstacksize(&smallest, PTHREAD_STACK_MIN), 0);
            CHECK_INT(pthread_create(&thread, &smallest, run, each[i]), 0);
            join_thread(thread);
            return 0;
        }
        CHECK_CHILD(child, 0);
    }
    return 0;
}
