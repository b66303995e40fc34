/* A thread that shows a habit: it starts O_DIRECT reads and waits for them at once, over and over, and sleeps nowhere else.
   An implementation may then treat it as one that waits for its own requests; the programs that use this change their ways
   afterwards, which nothing in POSIX forbids. */
#ifndef PROVE_H
#define PROVE_H

#include <sys/time.h>

#include "aiocb.h"
#include "process.h"

#define BLOCK 4096
#define BLOCKS 64

/* A file of blocks with the pattern 1, opened with O_DIRECT. */
static inline int direct_file(void)
{
    int fd = temp_file(O_DIRECT);
    char *block = aligned_alloc(4096, BLOCKS * BLOCK);

    fill_pattern(block, BLOCKS * BLOCK, 1);
    CHECK_INT(pwrite(fd, block, BLOCKS * BLOCK, 0), BLOCKS * BLOCK);
    free(block);
    return fd;
}

static inline void prove(int direct, int rounds)
{
    char *in = aligned_alloc(4096, BLOCK);

    for (int round = 0; round < rounds; round++) {
        struct aiocb cb = make_cb(direct, in, BLOCK, round % BLOCKS * BLOCK);

        CHECK_INT(aio_read(&cb), 0);
        CHECK_DONE(&cb, BLOCK);
    }
    free(in);
}

/* Requests that are left in flight. */
struct left {
    struct aiocb cb[16];
    char *in;
};

static inline void leave(int direct, struct left *left, int count)
{
    if (!left->in)
        left->in = aligned_alloc(4096, 16 * BLOCK);
    memset(left->in, 0, 16 * BLOCK);
    for (int i = 0; i < count; i++) {
        left->cb[i] = make_cb(direct, left->in + i * BLOCK, BLOCK, i * BLOCK);
        CHECK_INT(aio_read(&left->cb[i]), 0);
    }
}

/* All are over, and right. */
static inline void check_left(struct left *left, int count)
{
    for (int i = 0; i < count; i++)
        CHECK_DONE(&left->cb[i], BLOCK);
    for (int i = 0; i < count * BLOCK; i++)
        if ((unsigned char)left->in[i] != pattern_byte(1, i))
            FAIL("byte %d is wrong", i);
}

/* A thread that shows the habit, leaves requests in flight and then sleeps elsewhere until it is told to end. */
struct sleeper {
    int fd, rounds, ends[2];
    struct left left;
    _Atomic pid_t thread;
    pthread_t handle;
};

#define LEFT_BY_SLEEPER 16

static inline void *proves_and_sleeps(void *argument)
{
    struct sleeper *sleeper = argument;
    char byte;

    prove(sleeper->fd, sleeper->rounds);
    leave(sleeper->fd, &sleeper->left, LEFT_BY_SLEEPER);
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
    sleeper->handle = start_thread(proves_and_sleeps, sleeper);
    WAIT_UNTIL(sleeper->thread && thread_sleeps(sleeper->thread));
}

/* What it has left is over, and right. */
static inline void check_sleeper(struct sleeper *sleeper)
{
    check_left(&sleeper->left, LEFT_BY_SLEEPER);
}

static inline void end_sleeper(struct sleeper *sleeper)
{
    CHECK_INT(write(sleeper->ends[1], "x", 1), 1);
    join_thread(sleeper->handle);
    close(sleeper->ends[0]);
    close(sleeper->ends[1]);
}

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

/* Has a signal handler call `what` every so many microseconds, and count; none: never again. */
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
