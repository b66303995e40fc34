/* Checks and the three ways a test program ends: 0 pass, 1 fail, 77 skip. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A process that holds what may keep this one from ending: it gets SIGTERM first. */
static pid_t holder;

/* Ends the process past every handler and every interposed function: a failed check must end the program even where exit() would
   wait for the I/O that the check is about. */
#define END_PROCESS(status)                                                                                            \
    do {                                                                                                               \
        if (holder > 0)                                                                                                \
            kill(holder, SIGTERM);                                                                                     \
        syscall(SYS_exit_group, status);                                                                               \
        __builtin_unreachable();                                                                                       \
    } while (0)

/* Writes a line without a lock of stdio's, in a thread that was cancelled as well, which would end in the write. */
#define SAY(...)                                                                                                       \
    do {                                                                                                               \
        char say_[512];                                                                                                \
        int length_ = snprintf(say_, sizeof say_, "%s:%d: ", __FILE__, __LINE__), cancel_;                             \
        length_ += snprintf(say_ + length_, sizeof say_ - length_, __VA_ARGS__);                                       \
        if (length_ > (int)sizeof say_ - 1)                                                                            \
            length_ = sizeof say_ - 1;                                                                                 \
        say_[length_++] = '\n';                                                                                        \
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_);                                                      \
        if (write(STDERR_FILENO, say_, length_) == -1)                                                                 \
            END_PROCESS(1);                                                                                            \
        pthread_setcancelstate(cancel_, NULL);                                                                         \
    } while (0)

#define FAIL(...)                                                                                                      \
    do {                                                                                                               \
        SAY(__VA_ARGS__);                                                                                              \
        END_PROCESS(1);                                                                                                \
    } while (0)

#define SKIP(...)                                                                                                      \
    do {                                                                                                               \
        SAY(__VA_ARGS__);                                                                                              \
        END_PROCESS(77);                                                                                               \
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
