/* Past RLIMIT_SIGPENDING signals cannot be queued. The requests have their results all the same, and the signals that
   were queued are those of requests [B6] (a notification that cannot be sent never changes the result). */
// alone: pending signals are counted for the user, over all processes
#include "aiocb.h"
#include "process.h"

#define N 200
#define LIMIT 20

int main(void)
{
    int fd = pattern_file(O_RDWR, N, 1);
    static char in[N];
    static struct aiocb cb[N];
    static int seen[N];
    int taken = 0;

    block_signal(SIGRTMIN);
    set_limit(RLIMIT_SIGPENDING, LIMIT);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(fd, &in[i], 1, i);
        notify_by_signal(&cb[i], SIGRTMIN, i);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        CHECK_DONE(&cb[i], 1);
        CHECK_INT((unsigned char)in[i], pattern_byte(1, i));
    }
    while (signal_is_pending(SIGRTMIN)) {
        siginfo_t info = take_signal(SIGRTMIN);

        CHECK_INT(info.si_code, SI_ASYNCIO);
        CHECK(info.si_value.sival_int >= 0 && info.si_value.sival_int < N);
        CHECK_INT(seen[info.si_value.sival_int]++, 0);
        taken++;
    }
    CHECK(taken <= N);

    /* With room again, they come again. A late one of the first lot may come before it. */
    cb[0] = make_cb(fd, in, 1, 7);
    notify_by_signal(&cb[0], SIGRTMIN, 4711);
    CHECK_INT(aio_read(&cb[0]), 0);
    while (take_signal(SIGRTMIN).si_value.sival_int != 4711)
        ;
    CHECK_DONE(&cb[0], 1);
    return 0;
}
