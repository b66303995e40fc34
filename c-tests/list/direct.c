/* lio_listio with O_DIRECT reads, alone and among others, with LIO_WAIT and without [B11]: the bytes are right, and the end
   of a list that is not waited for is notified once, when all is done. */
#include "list.h"
#include "direct.h"

#define N 16

static int fd, plain, ends[2];
static char *in;

int main(void)
{
    struct aiocb cb[N + 2], *list[N + 2];
    char byte;

    fd = direct_file();
    plain = pattern_file(O_RDWR, BLOCK, 2);
    make_pipe(ends);
    in = aligned_alloc(4096, (N + 1) * BLOCK);
    block_signal(SIGRTMIN);
    read_blocks(fd, 100);
    for (int round = 0; round < 200; round++) {
        struct sigevent event = { .sigev_notify = round % 4 ? SIGEV_SIGNAL : SIGEV_NONE, .sigev_signo = SIGRTMIN };
        int count = N + (round % 3), wait = round % 2;

        event.sigev_value.sival_int = round;
        memset(in, 0, (N + 1) * BLOCK);
        for (int i = 0; i < N; i++)
            cb[i] = make_entry(LIO_READ, fd, in + i * BLOCK, BLOCK, i * BLOCK);
        cb[N] = make_entry(LIO_READ, plain, in + N * BLOCK, BLOCK, 0);
        cb[N + 1] = make_entry(LIO_READ, ends[0], &byte, 1, 0);
        for (int i = 0; i < count; i++)
            list[i] = &cb[i];
        if (wait && count == N + 2)
            CHECK_INT(write(ends[1], "x", 1), 1);
        CHECK_INT(lio_listio(wait ? LIO_WAIT : LIO_NOWAIT, list, count, &event), 0);
        if (wait) {
            for (int i = 0; i < count; i++)
                CHECK_INT(aio_error(&cb[i]), 0);
        } else {
            if (count == N + 2) {
                CHECK(!signal_is_pending(SIGRTMIN));
                CHECK_INT(write(ends[1], "x", 1), 1);
            }
            /* Waited for by the signal alone, or one after another. */
            if (round % 4)
                CHECK_INT(take_signal(SIGRTMIN).si_value.sival_int, round);
        }
        for (int i = 0; i < count; i++)
            CHECK_DONE(&cb[i], i == N + 1 ? 1 : BLOCK);
        CHECK(is_pattern(in, N * BLOCK, 0));
        if (count > N)
            CHECK(is_pattern(in + N * BLOCK, BLOCK, 2));
        CHECK(!signal_is_pending(SIGRTMIN));
        read_blocks(fd, 10);
    }
    return 0;
}
