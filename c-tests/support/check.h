/* Checks and the three ways a test program ends: 0 pass, 1 fail, 77 skip. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* _exit: a failed check must end the program even where exit() would wait for the I/O that the check is about, and in a thread
   that was cancelled, which would end in the first write. */
#define FAIL(...)                                                                                                      \
    do {                                                                                                               \
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);                                                          \
        fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                                                \
        fprintf(stderr, __VA_ARGS__);                                                                                  \
        fputc('\n', stderr);                                                                                           \
        fflush(NULL);                                                                                                  \
        _exit(1);                                                                                                      \
    } while (0)

#define SKIP(...)                                                                                                      \
    do {                                                                                                               \
        fprintf(stderr, __VA_ARGS__);                                                                                  \
        fputc('\n', stderr);                                                                                           \
        fflush(NULL);                                                                                                  \
        _exit(77);                                                                                                     \
    } while (0)

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            FAIL("not true: %s (errno %d, %s)", #condition, errno, strerror(errno));                                   \
    } while (0)

/* The integer `got` is `want`. */
#define CHECK_INT(got, want)                                                                                           \
    do {                                                                                                               \
        long long got_ = (got);                                                                                        \
        int errno_ = errno;                                                                                            \
        long long want_ = (want);                                                                                      \
        if (got_ != want_)                                                                                             \
            FAIL("%s is %lld, not %lld (%s; errno %d, %s)", #got, got_, want_, #want, errno_, strerror(errno_));       \
    } while (0)

/* `call` returns -1 and sets errno to `error`. */
#define CHECK_FAILS(call, error)                                                                                       \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        long long got_ = (call);                                                                                       \
        int errno_ = errno;                                                                                            \
        if (got_ != -1 || errno_ != (error))                                                                           \
            FAIL("%s gives %lld, errno %d (%s), not -1 and %s", #call, got_, errno_, strerror(errno_), #error);        \
    } while (0)

/* A system call of the test's own that has to work for the test to mean anything. */
#define MUST(call)                                                                                                     \
    ({                                                                                                                 \
        __typeof__(call) must_ = (call);                                                                               \
        if (must_ == (__typeof__(call))-1)                                                                             \
            FAIL("%s: %s", #call, strerror(errno));                                                                    \
        must_;                                                                                                         \
    })

#endif
