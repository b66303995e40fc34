/* A seccomp filter that the library cannot see coming takes io_uring away while requests are in flight: each of them, and each
   that comes after, counts by its eventfd, whether it ends well or with EIO [B19] [C5]. */
// links: uringaio
#include "aiocb.h"
#include "memory.h"
#include "refuse-io-uring.h"

#include <poll.h>
#include <sys/eventfd.h>

#define N 64
#define BLOCK 65536

/* A system call that does not pass through the C library. */
static long raw_call(long number, long a, long b, long c)
{
#if defined(__x86_64__)
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;

    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
#endif
}

static void take_io_uring_away(void)
{
    struct sock_filter filter[] = REFUSE_IO_URING(SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog program = { .len = sizeof filter / sizeof filter[0], .filter = filter };
    long result;

    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    result = raw_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, (long)&program);
    if (result != 0)
        SKIP("seccomp: %s", strerror((int)-result));
}

int main(void)
{
    static struct aiocb cb[3 * N];
    char *in = aligned((size_t)N * BLOCK);
    int direct = pattern_file(O_RDWR | O_DIRECT, 16 * BLOCK, 0), counter = MUST(eventfd(0, EFD_CLOEXEC));
    unsigned long long counted = 0, count;

    for (int i = 0; i < 3 * N; i++) {
        /* The engine has something to do from the first on; the filter comes while it does. */
        if (i == N)
            take_io_uring_away();
        cb[i] = make_cb(direct, in + (size_t)(i % N) * BLOCK, BLOCK, i % 16 * BLOCK);
        uringaio_sigevent_eventfd(&cb[i].aio_sigevent, counter);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    while (counted < 3 * N) {
        struct pollfd readable = { counter, POLLIN, 0 };

        CHECK_INT(poll(&readable, 1, DEADLINE_SECONDS * 1000), 1);
        CHECK_INT(read(counter, &count, sizeof count), 8);
        counted += count;
    }
    CHECK_INT(counted, 3 * N);
    for (int i = 0; i < 3 * N; i++) {
        AWAIT_CB(&cb[i]);
        if (aio_error(&cb[i]) != EIO)
            CHECK_DONE(&cb[i], BLOCK);
    }
    return 0;
}
