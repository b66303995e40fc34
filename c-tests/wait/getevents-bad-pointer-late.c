// face: libaio
/* io_getevents that has to wait, and then finds that the array cannot be written: EFAULT, and the event comes with the next call
   [A16] (fs/aio.c, read_events). */
#include "iocb.h"

static io_context_t context;
static _Atomic pid_t waiter;

static void *get(void *events)
{
    waiter = this_thread();
    return (void *)(intptr_t)io_getevents(context, 1, 4, events, NULL);
}

int main(void)
{
    void *arrays[] = { no_access(), read_only(), NULL, wild(0xffff800000000000) };
    int fd = MUST(eventfd(0, 0));
    struct io_event event;

    context = make_context(8);
    for (int i = 0; i < 4; i++) {
        pthread_t thread;
        struct iocb iocb;
        void *answer;

        io_prep_poll(&iocb, fd, POLLIN);
        submit_one(context, &iocb);
        waiter = 0;
        CHECK(pthread_create(&thread, NULL, get, arrays[i]) == 0);
        WAIT_UNTIL(waiter && thread_sleeps(waiter));
        CHECK_INT(eventfd_write(fd, 1), 0);
        CHECK(pthread_join(thread, &answer) == 0);
        CHECK_INT((intptr_t)answer, -EFAULT);
        reap(context, 1, &event);
        CHECK(event.obj == &iocb);
        none_left(context);
        CHECK_INT(eventfd_read(fd, &(eventfd_t){ 0 }), 0);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
