// face: libaio
/* io_getevents without an event ends in -EINTR when a signal handler ran, SA_RESTART or not, timeout or not
   [A7] (signal(7): never restarted). */
#include "iocb.h"

static io_context_t context;
static _Atomic int tid, result, handled;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *reaper(void *timeout)
{
    struct io_event event;

    atomic_store(&tid, gettid());
    atomic_store(&result, io_getevents(context, 1, 1, &event, timeout));
    return NULL;
}

int main(void)
{
    struct timespec hour = {3600, 0};

    context = make_context(8);
    for (int round = 0; round < 20; round++) {
        struct sigaction action = {.sa_handler = handler, .sa_flags = round % 2 ? SA_RESTART : 0};
        pthread_t thread;

        CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
        tid = 0;
        result = 12345;
        handled = 0;
        CHECK(pthread_create(&thread, NULL, reaper, round % 4 < 2 ? NULL : &hour) == 0);
        WAIT_UNTIL(tid && thread_sleeps(tid));
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
        /* Should it have slept elsewhere, on its way in, the signal is sent again. */
        for (int64_t end = deadline_ns(); result == 12345;) {
            if (now_ns() > end)
                FAIL("io_getevents was not interrupted");
            usleep(20000);
            if (result == 12345)
                pthread_kill(thread, SIGUSR1);
        }
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK_INT(result, -EINTR);
        CHECK(handled > 0);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
