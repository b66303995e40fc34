// face: libaio
/* io_setup(n) gives room for at least n requests in flight; past the ring's size io_submit says EAGAIN [A10]. */
#include "iocb.h"

int main(void)
{
    static const int sizes[] = {1, 2, 7, 64, 128, 1000};
    static struct iocb polls[8192];
    static struct io_event events[8192];
    int ends[2];

    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        io_context_t context = make_context(sizes[s]);
        int nr = (int)ring_of(context)->nr, count = 0, ret;

        CHECK(pipe(ends) == 0);
        for (;;) {
            struct iocb *one = &polls[count];

            CHECK(count < nr);
            io_prep_poll(one, ends[0], POLLIN);
            ret = io_submit(context, 1, &one);
            if (ret != 1)
                break;
            count++;
        }
        CHECK_INT(ret, -EAGAIN);
        CHECK(count >= sizes[s]);
        CHECK(count <= nr - 1);
        none_left(context);
        CHECK_INT(write(ends[1], "x", 1), 1);
        reap(context, count, events);
        for (int i = 0; i < count; i++) {
            CHECK(events[i].obj >= polls && events[i].obj < polls + count);
            CHECK(events[i].obj->data == NULL);
            events[i].obj->data = events;
        }
        none_left(context);
        close(ends[0]);
        close(ends[1]);
        CHECK_INT(io_destroy(context), 0);
    }
    return 0;
}
