/* A seccomp filter that takes io_uring away and is set past the C library, so that no interposed function sees it. */
#ifndef RAW_SECCOMP_H
#define RAW_SECCOMP_H

#include "refuse-io-uring.h"

/* A system call that does not pass through the C library. */
static inline long raw_call(long number, long a, long b, long c)
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

static inline void take_io_uring_away(void)
{
    struct sock_filter filter[] = REFUSE_IO_URING(SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog program = { .len = sizeof filter / sizeof filter[0], .filter = filter };
    long result;

    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    result = raw_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, (long)&program);
    if (result != 0)
        SKIP("seccomp: %s", strerror((int)-result));
}

#endif
