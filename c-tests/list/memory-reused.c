/* The list array and the sigevent may be reused or unmapped as soon as lio_listio(LIO_NOWAIT) returns [B11]. */
// unsanitized: tsan -- what tells this program of the end is a signal, which orders nothing for it
#include "list.h"
#include "process.h"

#include <sys/mman.h>

#define N 8

int main(void)
{
    int ends[2];
    char in[N];
    struct aiocb cb[N];

    block_signal(SIGRTMIN);
    for (int round = 0; round < 20; round++) {
        struct {
            struct aiocb *list[N];
            struct sigevent event;
        } *page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        CHECK(page != MAP_FAILED);
        make_pipe(ends);
        for (int i = 0; i < N; i++) {
            cb[i] = make_entry(LIO_READ, ends[0], &in[i], 1, 0);
            page->list[i] = &cb[i];
        }
        page->event = signal_event(SIGRTMIN, round);
        CHECK_INT(lio_listio(LIO_NOWAIT, page->list, N, &page->event), 0);
        munmap(page, sizeof *page);
        CHECK_INT(write(ends[1], "12345678", N), N);
        CHECK_INT(take_signal(SIGRTMIN).si_value.sival_int, round);
        CHECK_INT(memcmp(in, "12345678", N), 0);
        close(ends[0]);
        close(ends[1]);
    }
    return 0;
}
