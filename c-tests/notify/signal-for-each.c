/* One queued signal for each request, none lost and none twice [B6]. The program waits in sigwaitinfo for them, which must
   not fail with EINTR meanwhile [C1]. */
#include "aiocb.h"
#include "process.h"

#define N 1000

int main(void)
{
    int fd = pattern_file(O_RDWR, N, 1), ends[2];
    static char in[N];
    static struct aiocb cb[N];
    static int seen[N];
    sigset_t set;

    block_signal(SIGRTMIN);
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    make_pipe(ends);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(i % 10 ? fd : ends[0], &in[i], 1, i);
        notify_by_signal(&cb[i], SIGRTMIN, i);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    for (int i = 0; i < N; i += 10)
        CHECK_INT(write(ends[1], "x", 1), 1);
    for (int i = 0; i < N; i++) {
        siginfo_t info;

        CHECK_INT(sigwaitinfo(&set, &info), SIGRTMIN);
        CHECK(info.si_value.sival_int >= 0 && info.si_value.sival_int < N);
        seen[info.si_value.sival_int]++;
        CHECK_INT(aio_error(&cb[info.si_value.sival_int]), 0);
    }
    for (int i = 0; i < N; i++) {
        CHECK_INT(seen[i], 1);
        CHECK_INT((unsigned char)in[i], i % 10 ? pattern_byte(1, i) : 'x');
    }
    CHECK_INT(signal_is_pending(SIGRTMIN), 0);
    return 0;
}
