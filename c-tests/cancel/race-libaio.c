// face: libaio
/* io_cancel racing with completion: whatever it says, each request has exactly one event [A9]. */
#include "iocb.h"

#define ROUNDS 2000

static int ends[2];
static _Atomic int turn;

static void *writer(void *unused)
{
    for (int i = 1; i <= ROUNDS; i++) {
        while (turn < i)
            sched_yield();
        CHECK_INT(write(ends[1], "x", 1), 1);
    }
    return unused;
}

int main(void)
{
    io_context_t context = make_context(8);
    struct io_event event;
    pthread_t thread;
    char byte;

    CHECK(pipe(ends) == 0);
    CHECK(pthread_create(&thread, NULL, writer, NULL) == 0);
    for (int i = 1; i <= ROUNDS; i++) {
        struct iocb poll;
        int ret;

        io_prep_poll(&poll, ends[0], POLLIN);
        poll.data = (void *)(uintptr_t)i;
        submit_one(context, &poll);
        turn = i;
        ret = io_cancel(context, &poll, &event);
        CHECK(ret == -EINPROGRESS || ret == -EINVAL);
        reap(context, 1, &event);
        CHECK(event.obj == &poll);
        CHECK_INT((uintptr_t)event.data, i);
        if (ret == -EINVAL)
            CHECK(event.res & POLLIN);
        else
            CHECK(event.res == 0 || event.res & POLLIN);
        CHECK_INT(read(ends[0], &byte, 1), 1);
        none_left(context);
    }
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
