/* A signal handler that runs again and again, at no particular moment. */
#ifndef STORM_H
#define STORM_H

#include <sys/time.h>

#include "process.h"

static void (*in_storm)(void);
static volatile sig_atomic_t handled;

static inline void handle_storm(int signal, siginfo_t *info, void *context)
{
    int before = errno;

    (void)signal;
    (void)info;
    (void)context;
    handled++;
    in_storm();
    errno = before;
}

/* Calls `what` in a handler of SIGALRM every `every_us` microseconds, and counts; NULL: stops. */
static inline void storm(int every_us, void (*what)(void), int flags)
{
    struct itimerval every = { { 0, every_us }, { 0, every_us } };

    if (what) {
        in_storm = what;
        on_signal(SIGALRM, handle_storm, flags);
    }
    MUST(setitimer(ITIMER_REAL, &every, NULL));
}

#endif
