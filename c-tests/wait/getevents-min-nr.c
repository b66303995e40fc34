// face: libaio
/* io_getevents returns when min_nr events are there, not before, and with no more than nr [A7]. */
#include "iocb.h"

static io_context_t context;
static _Atomic int tid, result;
static struct io_event events[16];

static void *reaper(void *unused)
{
    atomic_store(&tid, gettid());
    atomic_store(&result, io_getevents(context, 8, 16, events, NULL));
    return unused;
}

int main(void)
{
    int ends[16][2];
    pthread_t thread;
    struct iocb polls[16];

    context = make_context(32);
    for (int i = 0; i < 16; i++) {
        CHECK(pipe(ends[i]) == 0);
        io_prep_poll(&polls[i], ends[i][0], POLLIN);
        submit_one(context, &polls[i]);
    }
    result = 12345;
    CHECK(pthread_create(&thread, NULL, reaper, NULL) == 0);
    for (int i = 0; i < 8; i++) {
        WAIT_UNTIL(tid && thread_sleeps(tid));
        CHECK_INT(result, 12345);
        CHECK_INT(write(ends[i][1], "x", 1), 1);
    }
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_INT(result, 8);

    /* Twelve there, asked for at most five at a time. */
    for (int i = 0; i < 16; i++) {
        if (i < 8)
            submit_one(context, &polls[i]);
        else if (i < 12)
            CHECK_INT(write(ends[i][1], "x", 1), 1);
    }
    WAIT_UNTIL(ring_ready(context) == 12);
    CHECK_INT(io_getevents(context, 1, 5, events, NULL), 5);
    CHECK_INT(io_getevents(context, 5, 5, events, NULL), 5);
    CHECK_INT(io_getevents(context, 1, 5, events, NULL), 2);
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
