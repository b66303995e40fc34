// face: libaio
/* A signal, or the timeout, while fewer than min_nr events have come: the count of those, not an error [A7]. */
#include "iocb.h"

static io_context_t context;
static _Atomic int tid, result;
static struct io_event events[4];

static void handler(int number)
{
    (void)number;
}

static void *reaper(void *unused)
{
    atomic_store(&tid, gettid());
    atomic_store(&result, io_getevents(context, 3, 4, events, NULL));
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    int fd = pattern_file(O_RDWR, 4096, 0);
    struct timespec little = {0, 30000000};
    struct iocb iocb, *list[2] = {&iocb, &iocb};
    char buffer[16];

    context = make_context(8);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    io_prep_pread(&iocb, fd, buffer, 16, 0);
    for (int round = 0; round < 10; round++) {
        pthread_t thread;

        tid = 0;
        result = 12345;
        CHECK_INT(io_submit(context, 2, list), 2);
        WAIT_UNTIL(ring_ready(context) == 2);
        CHECK(pthread_create(&thread, NULL, reaper, NULL) == 0);
        WAIT_UNTIL(tid && thread_sleeps(tid));
        for (int64_t end = deadline_ns(); result == 12345;) {
            if (now_ns() > end)
                FAIL("io_getevents was not interrupted");
            pthread_kill(thread, SIGUSR1);
            usleep(20000);
        }
        CHECK(pthread_join(thread, NULL) == 0);
        /* On its way in, before it had looked, the signal ends nothing; with the two events in hand it does. */
        CHECK_INT(result, 2);
        CHECK(events[1].obj == &iocb);
        none_left(context);

        CHECK_INT(io_submit(context, 2, list), 2);
        WAIT_UNTIL(ring_ready(context) == 2);
        CHECK_INT(io_getevents(context, 3, 4, events, &little), 2);
        none_left(context);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
