/* LIO_READV and LIO_WRITEV in lists, waited for and not, among other requests and among entries that fail; each entry and the
   list send their notifications [B17] (FreeBSD lio_listio(2)). */
// links: uringaio
#include "list.h"
#include "process.h"

#include <sys/uio.h>

#define N 40

static char memory[N][4][100];
static struct iovec vectors[N][4];
static struct aiocb cb[N], *list[N];

static void prepare(int fd, int opcode)
{
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < 4; j++)
            vectors[i][j] = (struct iovec){ memory[i][j], 100 };
        cb[i] = make_entry(opcode, fd, vectors[i], 4, i * 400);
        list[i] = &cb[i];
    }
}

int main(void)
{
    int fd = temp_file(O_RDWR);
    struct sigevent event = signal_event(SIGRTMIN, 7);

    CHECK(LIO_READV != LIO_READ && LIO_READV != LIO_WRITE && LIO_READV != LIO_NOP && LIO_READV != LIO_WRITEV);
    CHECK(LIO_WRITEV != LIO_READ && LIO_WRITEV != LIO_WRITE && LIO_WRITEV != LIO_NOP);
    block_signal(SIGRTMIN);
    block_signal(SIGRTMIN + 1);
    prepare(fd, LIO_WRITEV);
    fill_pattern(memory, sizeof memory, 0);
    CHECK_INT(lio_listio(LIO_WAIT, list, N, NULL), 0);
    for (int i = 0; i < N; i++)
        CHECK_DONE(&cb[i], 400);

    memset(memory, 0, sizeof memory);
    prepare(fd, LIO_READV);
    for (int i = 0; i < N; i++)
        notify_by_signal(&cb[i], SIGRTMIN + 1, i);
    /* One of another kind, one that is none. */
    cb[3] = make_entry(LIO_READ, fd, memory[3], 400, 3 * 400);
    cb[4].aio_lio_opcode = LIO_NOP;
    CHECK_INT(lio_listio(LIO_NOWAIT, list, N, &event), 0);
    CHECK_INT(take_signal(SIGRTMIN).si_value.sival_int, 7);
    for (int i = 0; i < N; i++)
        if (i != 4)
            CHECK_DONE(&cb[i], 400);
    check_pattern_at(memory, 4 * 400, 0, 0);
    check_pattern_at(memory[5], (N - 5) * 400, 0, 5 * 400);
    for (unsigned long long seen = 0, left = N - 2; left > 0; left--) {
        int i = take_signal(SIGRTMIN + 1).si_value.sival_int;

        CHECK(i >= 0 && i < N && i != 3 && i != 4 && !(seen >> i & 1));
        seen |= 1ull << i;
    }

    /* An entry whose array is bad: the others run. */
    memset(memory, 0, sizeof memory);
    prepare(fd, LIO_READV);
    cb[1].aio_iov = NULL;
    cb[2].aio_iovcnt = 1025;
    CHECK_FAILS(lio_listio(LIO_NOWAIT, list, N, &event), EINVAL);
    CHECK_INT(take_signal(SIGRTMIN).si_value.sival_int, 7);
    CHECK_ENDS_WITH(&cb[1], EFAULT);
    CHECK_ENDS_WITH(&cb[2], EINVAL);
    for (int i = 3; i < N; i++)
        CHECK_DONE(&cb[i], 400);
    prepare(fd, LIO_READV);
    cb[1].aio_iov = NULL;
    CHECK_FAILS(lio_listio(LIO_WAIT, list, N, NULL), EIO);
    CHECK_DONE(&cb[0], 400);
    CHECK(!signal_is_pending(SIGRTMIN));
    return 0;
}
