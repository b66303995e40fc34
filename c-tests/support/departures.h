/* Leaving a call in the middle, again and again: by siglongjmp out of a signal handler, by deferred and by asynchronous
   cancellation, while another thread does I/O. The test says what must work afterwards.

   A test gives a `departure` for each call; each way of leaving runs in a child process of its own, so that the damage of
   one hides nothing of the next. "Armed" is the time in which the call may be left; the other functions run unarmed.

   How often is DEPARTURES in a run of the suite. TEST_DEPARTURES=10000 in the environment asks for as many of each call by
   each way; `c-tests/run -vv` prints how often each was left. */
#ifndef DEPARTURES_H
#define DEPARTURES_H

#include <poll.h>
#include <setjmp.h>

#include "aiocb.h"
#include "behaviour.h"
#include "iocb.h"

#define DEPARTURES 30                      /* by each way; fewer where the machine is so busy that the time is over */
#define ATTEMPTS (5 * departures_wanted()) /* a call that is hard to hit by a signal is tried no more often */
#define BLOCK 4096

struct departure {
    const char *call;              /* its name, for what is printed */
    void (*set_up)(void);          /* once, before the first round */
    void (*before)(void);          /* in each round, unarmed */
    void (*armed)(void);           /* in each round: the call, which may be left anywhere */
    void (*settle)(int left);      /* in each round, unarmed, or NULL; `left`: the call has not returned */
    void (*check)(void);           /* once, after the last round */
    int slow;                      /* a round takes that many times as long as others: so many fewer of them */
    int spoils_posix;              /* glibc may keep POSIX AIO's own lock: no aio_* call of its afterwards or beside it */
};

enum departure_way {
    BY_JUMP,
    BY_JUMP_THEN__EXIT,
    BY_DEFERRED_CANCELLATION,
    BY_ASYNCHRONOUS_CANCELLATION,
    BY_CANCELLING_ITSELF,          /* in a signal handler, with the asynchronous type: hits more often than another thread */
    DEPARTURE_WAYS,
};

static struct {
    const struct departure *test;
    enum departure_way way;
    sigjmp_buf target;
    volatile sig_atomic_t armed;
    volatile int left, attempts, wanted;
    volatile int64_t end;          /* by now_ns(): no new round */
    int seconds;                   /* for each way, so that all of a program's calls fit into its deadline */
    timer_t timer;
    char *others;                  /* the path of check_other_calls */
    atomic_int quit, failed;
    atomic_long neighbours_rounds;
} departing;

static inline int departures_wanted(void)
{
    const char *text = getenv("TEST_DEPARTURES");

    return text && atoi(text) > 0 ? atoi(text) : DEPARTURES;
}

/* Whether POSIX AIO can be used after a departure out of one of its calls. */
static inline int posix_is_usable(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return !departing.test->spoils_posix || (preload && strstr(preload, "liburingaio"));
}

/* --- the other thread's I/O ------------------------------------------------------------------------------------- */

static inline void *departure_neighbour(void *unused)
{
    int fd = scratch_file("neighbour", O_RDWR | O_DIRECT, 4 * BLOCK, 9);
    unsigned char *buffer = new_pages(4 * BLOCK), *other = new_pages(BLOCK);
    io_context_t context = make_context(8);
    struct iocb iocbs[4], *list[4];
    struct io_event events[4];

    (void)unused;
    for (int i = 0; i < 4; i++) {
        io_prep_pread(&iocbs[i], fd, buffer + i * BLOCK, BLOCK, i * BLOCK);
        list[i] = &iocbs[i];
    }
    while (!atomic_load(&departing.quit)) {
        memset(buffer, 0, 4 * BLOCK);
        CHECK_INT(io_submit(context, 4, list), 4);
        reap(context, 4, events);
        for (int i = 0; i < 4; i++)
            CHECK_INT((long)events[i].res, BLOCK);
        CHECK(is_pattern(buffer, 4 * BLOCK, 9));
        if (posix_is_usable()) {
            struct aiocb cb = make_cb(fd, other, BLOCK, 0);

            CHECK_INT(aio_read(&cb), 0);
            CHECK_DONE(&cb, BLOCK);
        }
        atomic_fetch_add(&departing.neighbours_rounds, 1);
    }
    CHECK_INT(io_destroy(context), 0);
    return NULL;
}

static inline void settle_round(int left)
{
    if (departing.test->settle)
        departing.test->settle(left);
}

/* Whether another round is due, of at most `attempts`. */
static inline int departures_go_on(int attempts)
{
    return departing.left < departing.wanted && departing.attempts++ < attempts && now_ns() < departing.end;
}

/* --- by siglongjmp ---------------------------------------------------------------------------------------------- */

static inline void departure_tick(int signal)
{
    (void)signal;
    if (departing.armed) {
        departing.armed = 0;
        /* Where the call has put cancellation off, it comes when the call allows it again. */
        if (departing.way == BY_CANCELLING_ITSELF)
            pthread_cancel(pthread_self());
        else
            siglongjmp(departing.target, 1);
    }
}

/* A time of at most `widest`: three in four near one that has hit before. */
static inline long departure_delay(long widest, long hit)
{
    long delay;

    if (hit == 0 || rand() % 4 == 0)
        return 1 + rand() % widest;
    delay = hit + rand() % 2000 - 1000;
    return delay > 0 ? delay : 1;
}

static inline void make_departure_timer(void)
{
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };

    event._sigev_un._tid = this_thread();
    MUST(timer_create(CLOCK_MONOTONIC, &event, &departing.timer));
}

static inline void departure_timer(long ns)
{
    /* Again and again, in case the first comes before the call, which then waits for ever. */
    struct itimerspec in = { .it_value = { ns / 1000000000, ns % 1000000000 }, .it_interval = { 0, 400000 } };

    MUST(timer_settime(departing.timer, 0, &in, NULL));
}

#define MEASURED_ROUNDS 10

/* How long the call takes when it is let alone, at most 2 ms: timers end at about twice that. */
static inline long departure_usual_ns(void)
{
    /* Static, since siglongjmp comes back here. */
    static int64_t spent, start;
    static int i;

    for (i = 0; i < MEASURED_ROUNDS; i++) {
        departing.test->before();
        /* A call that waits for ever is left at 2 ms. */
        start = now_ns();
        if (sigsetjmp(departing.target, 1) == 0) {
            departure_timer(2000000);
            departing.armed = 1;
            departing.test->armed();
            departing.armed = 0;
            spent += now_ns() - start;
            settle_round(0);
        } else {
            spent += 2000000;
            settle_round(1);
        }
    }
    return spent / MEASURED_ROUNDS;
}

static inline void leave_by_jumps(void)
{
    static long usual, delay, hit;

    set_handler(SIGUSR1, departure_tick, SA_NODEFER);
    make_departure_timer();
    usual = departure_usual_ns();
    if (sigsetjmp(departing.target, 1)) {
        departing.left++;
        hit = delay;
        settle_round(1);
    }
    while (departures_go_on(5 * departing.wanted)) {
        departing.test->before();
        delay = departure_delay(2 * (usual < 500000 ? usual : 500000) + 6000, hit);
        departure_timer(delay);
        departing.armed = 1;
        departing.test->armed();
        departing.armed = 0;
        settle_round(0);
    }
    timer_delete(departing.timer);
    signal(SIGUSR1, SIG_IGN);
}

/* --- by cancellation -------------------------------------------------------------------------------------------- */

#define CANCELLATION_TAKES_NS 20000 /* from pthread_cancel to its signal in the other thread, about */

static struct {
    int type, old;
    long spin;                          /* before the call, so that the cancellation arrives in it */
    atomic_int stage;
} cancelled;

enum { NOT_READY, READY, IN_CALL, RETURNED };

static inline void *departure_cancelled(void *unused)
{
    int64_t end;

    (void)unused;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelled.old);
    departing.test->before();
    atomic_store(&cancelled.stage, READY);
    end = now_ns() + cancelled.spin;
    while (now_ns() < end)
        ;
    pthread_setcanceltype(cancelled.type, &cancelled.old);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &cancelled.old);
    atomic_store(&cancelled.stage, IN_CALL);
    departing.test->armed();
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelled.old);
    atomic_store(&cancelled.stage, RETURNED);
    return NULL;
}

static inline void leave_by_cancellation(int type)
{
    int64_t usual = 0;
    long hit = 0;

    cancelled.type = type;
    while (departures_go_on(departing.wanted)) {
        /* Now and then the call is let alone for up to 2 ms, to learn how long it takes. */
        int measured = departing.attempts % 64 == 1;
        int64_t start, delay = measured ? 2000000 : rand() % (usual + 1);
        pthread_t thread;

        cancelled.spin = measured ? 0 : departure_delay(CANCELLATION_TAKES_NS, hit);
        atomic_store(&cancelled.stage, NOT_READY);
        thread = start_thread(departure_cancelled, NULL);
        while (atomic_load(&cancelled.stage) == NOT_READY)
            sched_yield();
        start = now_ns();
        while (now_ns() - start < delay && atomic_load(&cancelled.stage) != RETURNED)
            sched_yield();
        if (measured)
            usual = now_ns() - start < 500000 ? now_ns() - start : 500000;
        pthread_cancel(thread);
        if (join_thread(thread) == PTHREAD_CANCELED) {
            if (atomic_load(&cancelled.stage) == IN_CALL) {
                departing.left++;
                hit = cancelled.spin;
            }
            settle_round(1);
        } else {
            settle_round(0);
        }
    }
}

/* The same by the thread itself, in the handler of its timer. */
static inline void *departure_cancels_itself(void *delay)
{
    int old;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
    departing.test->before();
    make_departure_timer();
    departure_timer(*(long *)delay);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
    departing.armed = 1;
    departing.test->armed();
    departing.armed = 0;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    return NULL;
}

static inline void leave_by_cancelling_oneself(void)
{
    long delay, hit = 0;
    int left;

    set_handler(SIGUSR1, departure_tick, SA_NODEFER);
    while (departures_go_on(5 * departing.wanted)) {
        delay = departure_delay(100000, hit);
        left = join_thread(start_thread(departure_cancels_itself, &delay)) == PTHREAD_CANCELED;
        timer_delete(departing.timer);
        departing.left += left;
        hit = left ? delay : hit;
        settle_round(left);
    }
    signal(SIGUSR1, SIG_IGN);
}

/* --- the whole -------------------------------------------------------------------------------------------------- */

static const char *const departure_names[] = {
    "siglongjmp",
    "siglongjmp, then _exit",
    "deferred cancellation",
    "asynchronous cancellation",
    "asynchronous cancellation by itself",
};

/* close, dup2, fcntl and munmap, on files and memory without and with a request in flight. It does not use malloc: a call
   of the original that was left may have left malloc's own lock held. */
static inline void check_other_calls(void)
{
    static int fd, other;
    unsigned char *memory = new_pages(BLOCK);
    io_context_t context = make_context(4);
    struct io_event event;
    struct iocb iocb;

    fd = MUST(open(departing.others, O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    other = MUST(dup(fd));
    CHECK_INT(pwrite(fd, memory, BLOCK, 0), BLOCK);
    io_prep_pread(&iocb, fd, memory, BLOCK, 0);
    submit_one(context, &iocb);
    STEP("fcntl(F_SETFL) after the departures");
    MUST(fcntl(fd, F_SETFL, MUST(fcntl(fd, F_GETFL)) ^ O_APPEND));
    STEP("dup2 after the departures");
    MUST(dup2(other, fd));
    STEP("close after the departures");
    MUST(close(fd));
    MUST(close(other));
    STEP("io_getevents after the departures");
    reap(context, 1, &event);
    STEP("munmap after the departures");
    MUST(munmap(memory, BLOCK));
    STEP("io_destroy after the departures");
    CHECK_INT(io_destroy(context), 0);
}

static inline void departure_child(enum departure_way way)
{
    pthread_t neighbour;
    long rounds;

    start_deadline();
    alarm(deadline_seconds() * 2 / 5);
    srand(way + 1);
    departing.way = way;
    departing.wanted = departures_wanted();
    if (departing.test->slow && !getenv("TEST_DEPARTURES"))
        departing.wanted = (departing.wanted + departing.test->slow - 1) / departing.test->slow;
    if (way == BY_JUMP_THEN__EXIT)
        departing.wanted /= 10;
    STEP("the departures' own set-up");
    departing.others = test_path("others");
    departing.test->set_up();
    neighbour = start_thread(departure_neighbour, NULL);
    WAIT_UNTIL(atomic_load(&departing.neighbours_rounds) > 0);
    STEP("the rounds themselves");
    departing.end = now_ns() + departing.seconds * 1000000000LL;
    if (way == BY_JUMP || way == BY_JUMP_THEN__EXIT)
        leave_by_jumps();
    else if (way == BY_CANCELLING_ITSELF)
        leave_by_cancelling_oneself();
    else
        leave_by_cancellation(way == BY_DEFERRED_CANCELLATION ? PTHREAD_CANCEL_DEFERRED : PTHREAD_CANCEL_ASYNCHRONOUS);
    STEP("the other thread's I/O after the departures");
    rounds = atomic_load(&departing.neighbours_rounds);
    while (atomic_load(&departing.neighbours_rounds) < rounds + 10)
        pause_us(100);
    atomic_store(&departing.quit, 1);
    join_thread(neighbour);
    STEP("the check after the departures");
    if (departing.test->check)
        departing.test->check();
    check_other_calls();
    fprintf(stderr, "%s by %s: left %d times in %d\n", departing.test->call, departure_names[way], departing.left,
            departing.attempts);
    STEP("exit");
    if (way == BY_JUMP_THEN__EXIT)
        _exit(0);
    exit(0);
}

static inline int run_departures_of(const struct departure *test)
{
    int failed = 0;

    departing.test = test;
    for (enum departure_way way = 0; way < DEPARTURE_WAYS; way++) {
        pid_t child;
        int status;

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
        /* The sanitizers' own calls cannot be left at any instruction: a lock of the runtime's would stay held. */
        if (way == BY_ASYNCHRONOUS_CANCELLATION || way == BY_CANCELLING_ITSELF)
            continue;
#endif
#ifdef __SANITIZE_THREAD__
        /* Its runtime ends a process in which a thread is cancelled within one of its calls. */
        if (way == BY_DEFERRED_CANCELLATION)
            continue;
#endif
        child = MUST(fork());
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            departure_child(way);
        }
        status = await_child(child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
            return 77;
        if (status != 0) {
            fprintf(stderr, "%s by %s: wait status %#x\n", test->call, departure_names[way], status);
            failed = 1;
        }
    }
    return failed;
}

static inline int run_table_of_departures(const struct departure *tests, int count)
{
    int failed = 0, verdict;

    /* Half of the deadline for the rounds; the rest for what is around them. */
    departing.seconds = deadline_seconds() / (2 * DEPARTURE_WAYS * count) + 1;
    for (int i = 0; i < count; i++) {
        verdict = run_departures_of(&tests[i]);
        if (verdict == 77)
            return 77;
        failed |= verdict;
    }
    return failed;
}

static inline int run_departures(const struct departure *test)
{
    return run_table_of_departures(test, 1);
}

#endif
