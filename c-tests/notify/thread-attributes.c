/* SIGEV_THREAD with attributes: the callback's thread has the stack size, the detach state and the scheduling that they ask
   for [B6]. */
// unsanitized: tsan -- the runtime takes a part of a thread's stack for itself
#include "aiocb.h"
#include "process.h"

#define STACK (1 << 20)

static sem_t called;
static int want_policy;

static void callback(union sigval value)
{
    pthread_attr_t own;
    size_t stack = 0;
    int state = -1, policy;
    struct sched_param parameters;

    (void)value;
    CHECK_INT(pthread_getattr_np(pthread_self(), &own), 0);
    CHECK_INT(pthread_attr_getstacksize(&own, &stack), 0);
    CHECK_INT(pthread_attr_getdetachstate(&own, &state), 0);
    CHECK(stack >= STACK && stack < 2 * STACK);
    CHECK_INT(state, PTHREAD_CREATE_DETACHED);
    pthread_attr_destroy(&own);
    CHECK_INT(pthread_getschedparam(pthread_self(), &policy, &parameters), 0);
    CHECK_INT(policy, want_policy);
    if (policy != SCHED_OTHER)
        CHECK_INT(parameters.sched_priority, 3);
    /* The stack is really there. */
    volatile char deep[STACK - 64 * 1024];
    deep[0] = 1;
    deep[sizeof deep - 1] = 1;
    CHECK_INT(deep[0] + deep[sizeof deep - 1], 2);
    sem_post(&called);
}

static void *nothing(void *unused)
{
    return unused;
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);
    char in[10];
    struct aiocb cb;
    pthread_t thread;

    sem_init(&called, 0, 0);
    for (int round = 0; round < 20; round++) {
        /* One for each, kept to the end: pthread_create may look at it when the new thread runs already. */
        static pthread_attr_t all[20];
        pthread_attr_t *attributes = &all[round];

        CHECK_INT(pthread_attr_init(attributes), 0);
        CHECK_INT(pthread_attr_setstacksize(attributes, STACK), 0);
        CHECK_INT(pthread_attr_setdetachstate(attributes, PTHREAD_CREATE_DETACHED), 0);
        want_policy = SCHED_OTHER;
        if (round >= 10) {
            struct sched_param parameters = { .sched_priority = 3 };
            CHECK_INT(pthread_attr_setinheritsched(attributes, PTHREAD_EXPLICIT_SCHED), 0);
            CHECK_INT(pthread_attr_setschedpolicy(attributes, SCHED_FIFO), 0);
            CHECK_INT(pthread_attr_setschedparam(attributes, &parameters), 0);
            want_policy = SCHED_FIFO;
            if (pthread_create(&thread, attributes, nothing, NULL) != 0)
                break; /* not allowed to use real-time scheduling: the rest has been seen */
        }
        cb = make_cb(fd, in, sizeof in, 0);
        notify_by_thread(&cb, callback, NULL);
        cb.aio_sigevent.sigev_notify_attributes = attributes;
        CHECK_INT(aio_read(&cb), 0);
        AWAIT(&called);
        CHECK_DONE(&cb, sizeof in);
    }
    return 0;
}
