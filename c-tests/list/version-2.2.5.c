/* lio_listio@GLIBC_2.2.5, as programs linked before glibc 2.4 call it: only the list's notification is sent, none for its
   requests; both versions in one program [B1] [B11]. */
// columns: oracle preload threads without -- the versions of x86-64
#include "list.h"
#include "process.h"

extern int old_lio_listio(int, struct aiocb *const *, int, struct sigevent *);
__asm__(".symver old_lio_listio, lio_listio@GLIBC_2.2.5");
extern int old_lio_listio64(int, struct aiocb *const *, int, struct sigevent *);
__asm__(".symver old_lio_listio64, lio_listio64@GLIBC_2.2.5");

#define N 5

static int fd;
static char in[N];
static struct aiocb cb[N], *list[N];

static void run(int (*function)(int, struct aiocb *const *, int, struct sigevent *), int mode, int want)
{
    struct sigevent event = signal_event(SIGRTMIN, 1);

    for (int i = 0; i < N; i++) {
        cb[i] = make_entry(LIO_READ, fd, &in[i], 1, i);
        notify_by_signal(&cb[i], SIGRTMIN + 1, i);
        list[i] = &cb[i];
    }
    CHECK_INT(function(mode, list, N, &event), 0);
    if (mode == LIO_NOWAIT)
        take_signal(SIGRTMIN);
    for (int i = 0; i < N; i++)
        CHECK_DONE(&cb[i], 1);
    /* A request that tells, after which nothing of the list is on its way. */
    struct aiocb last = make_cb(fd, in, 1, 0);
    notify_by_signal(&last, SIGRTMIN + 2, 0);
    CHECK_INT(aio_read(&last), 0);
    take_signal(SIGRTMIN + 2);
    for (int i = 0; i < want; i++)
        take_signal(SIGRTMIN + 1);
    CHECK_INT(signal_is_pending(SIGRTMIN + 1), 0);
    CHECK_INT(signal_is_pending(SIGRTMIN), 0);
}

int main(void)
{
    fd = pattern_file(O_RDWR, N, 1);
    for (int i = 0; i < 3; i++)
        block_signal(SIGRTMIN + i);
    for (int i = 0; i < 10; i++) {
        run(old_lio_listio, LIO_NOWAIT, 0);
        run(old_lio_listio, LIO_WAIT, 0);
        run(old_lio_listio64, LIO_NOWAIT, 0);
        run(lio_listio, LIO_NOWAIT, N);
        run(lio_listio, LIO_WAIT, N);
    }
    return 0;
}
