/* The two sides on which the random sequences of POSIX AIO calls are played: glibc's functions and the library's in one program,
   what each was answered, and which notifications came. */
#ifndef ODD_PLAYER_H
#define ODD_PLAYER_H

#include <dlfcn.h>
#include <semaphore.h>

#include "aiocb.h"

#include "odd-sequences.h"

#define MOST_NOTES 256

enum side { ORIGINAL, LIBRARY };

static struct functions {
    int (*read)(struct aiocb *), (*write)(struct aiocb *), (*fsync)(int, struct aiocb *);
    int (*error)(const struct aiocb *);
    ssize_t (*ret)(struct aiocb *);
    int (*suspend)(const struct aiocb *const[], int, const struct timespec *);
    int (*cancel)(int, struct aiocb *);
    int (*list)(int, struct aiocb *const[], int, struct sigevent *);
} functions[SIDES] = { [LIBRARY] = { aio_read, aio_write, aio_fsync, aio_error, aio_return, aio_suspend, aio_cancel, lio_listio } };
static int library_is_original;

/* What was answered, in order. */
struct note {
    const char *what;
    int of;
    long value;
};

/* The notifications of one slot, of the round `number`. */
struct tally {
    atomic_int signals, calls;
    sem_t *came;
};

/* What one side of a thread has of its own. */
static struct player {
    struct functions *call;
    struct aiocb cb[SLOTS], stray;
    unsigned char *span[SLOTS];
    int quiet[2], full[2]; /* pipes: an empty one and a full one */
    int signal;
    int begun[SLOTS + 1];
    struct tally tallies[SLOTS + 1];
    sem_t came;
    atomic_int round;
    struct note notes[MOST_NOTES];
    int noted;
} all_players[THREADS + 1][SIDES];
static __thread struct player *players; /* the thread's own */
static __thread int number;             /* of the round */

static inline void note(struct player *p, const char *what, int of, long value)
{
    CHECK(p->noted < MOST_NOTES);
    p->notes[p->noted++] = (struct note){ what, of, value };
}

/* A call's answer: what it returned, or -errno. */
#define NOTE_CALL(p, what, of, call)                                                                                   \
    ({                                                                                                                 \
        long got_ = (call);                                                                                            \
        note(p, what, of, got_ == -1 ? -errno : got_);                                                                 \
        got_;                                                                                                          \
    })

/* --- notifications ---------------------------------------------------------------------------------------------- */

static inline void called(union sigval value)
{
    struct tally *tally = value.sival_ptr;

    atomic_fetch_add(&tally->calls, 1);
    sem_post(tally->came);
}

/* In whatever thread the kernel chooses: callbacks have no signal blocked. */
static inline void signalled(int signal, siginfo_t *info, void *context)
{
    struct player *p = &all_players[(signal - SIGRTMIN) / SIDES][(signal - SIGRTMIN) % SIDES];
    int slot = info->si_int & 15;

    (void)context;
    if (info->si_int >> 4 != p->round || slot > LIST || info->si_code != SI_ASYNCIO || info->si_pid != getpid() ||
        info->si_uid != getuid())
        FAIL("a signal of round %d in round %d, slot %d, code %d, from %d", info->si_int >> 4, p->round, slot, info->si_code,
             info->si_pid);
    atomic_fetch_add(&p->tallies[slot].signals, 1);
    sem_post(&p->came);
}

static inline struct sigevent sigevent_of(struct player *p, const struct notify_by *notify, int slot)
{
    struct sigevent event;

    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_NONE;
    event.sigev_value.sival_int = number << 4 | slot;
    switch (notify->how) {
    case BY_SIGNAL:
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = p->signal;
        break;
    case BY_SIGNAL_0: event.sigev_notify = SIGEV_SIGNAL; break;
    case BY_ODD_SIGNAL:
        /* With glibc its error would be the request's: the result stays. */
        if (p->call->read != functions[ORIGINAL].read)
            event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = notify->number;
        break;
    case BY_ODD_MEANS: event.sigev_notify = notify->number; break;
    case BY_THREAD:
        event.sigev_notify = SIGEV_THREAD;
        event.sigev_notify_function = called;
        event.sigev_value.sival_ptr = &p->tallies[slot];
        break;
    default: break;
    }
    return event;
}

/* Waits for as many as must come, and notes which came. */
static inline void take_notifications(struct player *p, const struct notify_by *const notify[SLOTS + 1])
{
    int expected = 0;
    sigset_t set;

    for (int slot = 0; slot <= LIST; slot++)
        expected += p->begun[slot] && (notify[slot]->how == BY_SIGNAL || notify[slot]->how == BY_THREAD);
    sigemptyset(&set);
    sigaddset(&set, p->signal);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    while (expected--)
        while (sem_wait(&p->came) == -1)
            CHECK_INT(errno, EINTR);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    CHECK_FAILS(sem_trywait(&p->came), EAGAIN);
    for (int slot = 0; slot <= LIST; slot++) {
        note(p, "signals", slot, atomic_exchange(&p->tallies[slot].signals, 0));
        note(p, "callbacks", slot, atomic_exchange(&p->tallies[slot].calls, 0));
    }
}

/* --- the sides ------------------------------------------------------------------------------------------------- */

static inline void find_original(void)
{
    static const char *const libraries[] = { "libc.so.6", "librt.so.1" };
    struct functions *f = &functions[ORIGINAL];

    /* In glibc before 2.34 it is in librt. */
    for (int i = 0; i < 2 && !f->read; i++) {
        void *library = dlopen(libraries[i], RTLD_NOW);

        CHECK(library != NULL);
        *(void **)&f->read = dlsym(library, "aio_read");
        *(void **)&f->write = dlsym(library, "aio_write");
        *(void **)&f->fsync = dlsym(library, "aio_fsync");
        *(void **)&f->error = dlsym(library, "aio_error");
        *(void **)&f->ret = dlsym(library, "aio_return");
        *(void **)&f->suspend = dlsym(library, "aio_suspend");
        *(void **)&f->cancel = dlsym(library, "aio_cancel");
        *(void **)&f->list = dlsym(library, "lio_listio");
    }
    library_is_original = f->read == functions[LIBRARY].read;
    CHECK(library_is_original == !getenv("LD_PRELOAD"));
}

static inline void start_player(int side, int thread)
{
    struct player *p = &players[side];
    struct sigaction action = { .sa_sigaction = signalled, .sa_flags = SA_SIGINFO };
    static const char filler[PIPE_BYTES];

    p->call = &functions[side];
    p->signal = SIGRTMIN + SIDES * thread + side;
    for (int i = 0; i < SLOTS; i++)
        p->span[i] = new_span();
    make_pipe(p->quiet);
    make_pipe(p->full);
    MUST(fcntl(p->full[1], F_SETPIPE_SZ, PIPE_BYTES));
    CHECK_INT(write(p->full[1], filler, sizeof filler), sizeof filler);
    MUST(sem_init(&p->came, 0, 0));
    for (int i = 0; i <= SLOTS; i++)
        p->tallies[i].came = &p->came;
    sigfillset(&action.sa_mask);
    MUST(sigaction(p->signal, &action, NULL));
}

#endif
