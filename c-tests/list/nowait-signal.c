/* LIO_NOWAIT: the list's signal comes once, when the last of its requests is done; requests with a sigevent of their own
   send theirs too [B11] (the behaviour since GLIBC_2.4). */
#include "list.h"
#include "process.h"

#define N 10

int main(void)
{
    char in[N];
    int ends[2], seen[N] = { 0 };
    struct aiocb cb[N], *list[N];
    struct sigevent event = signal_event(SIGRTMIN, 4711);

    block_signal(SIGRTMIN);
    block_signal(SIGRTMIN + 1);
    make_pipe(ends);
    for (int i = 0; i < N; i++) {
        cb[i] = make_entry(LIO_READ, ends[0], &in[i], 1, 0);
        notify_by_signal(&cb[i], SIGRTMIN + 1, i);
        list[i] = &cb[i];
    }
    CHECK_INT(lio_listio(LIO_NOWAIT, list, N, &event), 0);
    for (int i = 0; i < N; i++) {
        CHECK_INT(signal_is_pending(SIGRTMIN), 0);
        CHECK_INT(write(ends[1], "x", 1), 1);
        int value = take_signal(SIGRTMIN + 1).si_value.sival_int;
        CHECK_INT(value, i);
        seen[value]++;
        CHECK_INT(aio_error(&cb[value]), 0);
    }
    siginfo_t info = take_signal(SIGRTMIN);
    CHECK_INT(info.si_value.sival_int, 4711);
    CHECK_INT(info.si_code, SI_ASYNCIO);
    CHECK_INT(info.si_pid, getpid());
    for (int i = 0; i < N; i++)
        CHECK_INT(seen[i], 1);
    CHECK_INT(signal_is_pending(SIGRTMIN), 0);
    CHECK_INT(signal_is_pending(SIGRTMIN + 1), 0);
    return 0;
}
