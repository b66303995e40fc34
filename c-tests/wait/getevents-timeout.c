// face: libaio
/* A timeout without an event gives 0, not before the time is over [A7] (io_getevents(2)). */
#include "iocb.h"

int main(void)
{
    static const long milliseconds[] = {1, 10, 50, 200};
    io_context_t context = make_context(8);
    struct io_event event;
    struct iocb poll;
    int ends[2];

    CHECK(pipe(ends) == 0);
    for (int in_flight = 0; in_flight < 2; in_flight++) {
        for (int i = 0; i < 4; i++) {
            struct timespec wait = {0, milliseconds[i] * 1000000}, copy = wait;
            int64_t start = now_ns(), waited;

            CHECK_INT(io_getevents(context, 1, 1, &event, &wait), 0);
            waited = now_ns() - start;
            if (waited < milliseconds[i] * 1000000)
                FAIL("a timeout of %ld ms was over after %lld ns", milliseconds[i], (long long)waited);
            CHECK(memcmp(&wait, &copy, sizeof(wait)) == 0);
        }
        io_prep_poll(&poll, ends[0], POLLIN);
        submit_one(context, &poll);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
