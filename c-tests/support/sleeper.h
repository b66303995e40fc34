/* A thread that leaves O_DIRECT reads in flight and sleeps in a call that has nothing to do with AIO. */
#ifndef SLEEPER_H
#define SLEEPER_H

#include "direct.h"
#include "process.h"

/* A thread that waits for some reads, leaves others in flight and sleeps in read(2) until it is told to end. */
struct sleeper {
    int fd, rounds, ends[2];
    struct reads left;
    _Atomic pid_t thread;
    pthread_t handle;
};

static inline void *reads_and_sleeps(void *argument)
{
    struct sleeper *sleeper = argument;
    char byte;

    read_blocks(sleeper->fd, sleeper->rounds);
    start_reads(sleeper->fd, &sleeper->left, MOST);
    sleeper->thread = this_thread();
    read_whole(sleeper->ends[0], &byte, 1);
    return NULL;
}

/* Returns when it sleeps. */
static inline void start_sleeper(struct sleeper *sleeper, int direct, int rounds)
{
    sleeper->fd = direct;
    sleeper->rounds = rounds;
    sleeper->thread = 0;
    make_pipe(sleeper->ends);
    sleeper->handle = start_thread(reads_and_sleeps, sleeper);
    WAIT_UNTIL(sleeper->thread && thread_sleeps(sleeper->thread));
}

/* What it has left is over, and right. */
static inline void check_sleeper(struct sleeper *sleeper)
{
    check_reads(&sleeper->left, MOST);
}

static inline void end_sleeper(struct sleeper *sleeper)
{
    CHECK_INT(write(sleeper->ends[1], "x", 1), 1);
    join_thread(sleeper->handle);
    close(sleeper->ends[0]);
    close(sleeper->ends[1]);
}

#endif
