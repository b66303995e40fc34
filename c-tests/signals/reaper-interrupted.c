// face: libaio
/* A thread that takes events of requests that others submit is interrupted by signals all the while: by handlers that
   return at once, that take their time, and that leave io_getevents by siglongjmp. Every request completes once, and
   io_submit waits for no handler [A7] [D7]. */
#include <setjmp.h>

#include "reaper.h"

#define SUBMITTERS 3
#define ROUNDS 1500

/* A page that is read by two iocbs in turn, so that an event that comes twice is known as one that has been given out. */
struct turns {
    struct page page; /* the first field */
    struct iocb iocbs[2];
    _Atomic(struct iocb *) awaited;
};

static struct turns ending;
static sigjmp_buf back;
static volatile sig_atomic_t may_jump;
static atomic_int running = SUBMITTERS, holding, rounds;
static atomic_int held;
static int fd;

static void interrupted(int number)
{
    static int times;

    (void)number;
    if (++times % 4 == 0)
        usleep(300);
    if (atomic_load(&holding) && !atomic_load(&held)) {
        atomic_store(&held, 1);
        while (atomic_load(&holding))
            usleep(100);
    }
    if (may_jump && times % 3 == 0)
        siglongjmp(back, 1);
}

static void turn_submitted(struct turns *turns, int number, long long block)
{
    struct iocb *iocb = &turns->iocbs[number % 2];

    io_prep_pread(iocb, fd, turns->page.buffer, BLOCK, block * BLOCK);
    iocb->data = &turns->page;
    atomic_store(&turns->awaited, iocb);
    submit_one(context, iocb);
}

/* Whether there is an event that was not given out yet. The last one's page is `last`. */
static int is_new(struct io_event *event)
{
    struct turns *turns = event->data;
    struct iocb *iocb = event->obj;

    if (event->res == 0 || !atomic_compare_exchange_strong(&turns->awaited, &iocb, NULL))
        return 0;
    if (turns == &ending)
        event->data = &last;
    return 1;
}

/* Events that are there when a handler leaves the call are taken all the same, so they are looked for. One that the handler
   found half there comes again; so may one that was whole, because a C library may move them (libaio's does, in one case). */
static void *reap_interrupted(void *unused)
{
    static struct io_event events[16];
    static int more;

    more = 1;
    while (more) {
        int count;

        memset(events, 0, sizeof(events));
        if (sigsetjmp(back, 1) == 0) {
            may_jump = 1;
            io_getevents(context, 1, 16, events, NULL);
        }
        may_jump = 0;
        for (count = 0; more && count < 16 && events[count].data; count++)
            if (is_new(&events[count]))
                more = give_out(&events[count], 1);
    }
    return unused;
}

static void *submit(void *seed)
{
    struct turns turns = {.awaited = NULL};

    page_begins(&turns.page);
    for (int i = 0; i < ROUNDS; i++) {
        long long block = (i * 7 + (long)seed) % BLOCKS;

        turn_submitted(&turns, i, block);
        page_awaited(&turns.page, block);
        atomic_fetch_add(&rounds, 1);
    }
    atomic_fetch_sub(&running, 1);
    return NULL;
}

int main(void)
{
    struct sigaction action = {.sa_handler = interrupted};
    pthread_t reaper, submitters[SUBMITTERS];
    struct turns turns = {.awaited = NULL};

    alarm(DEADLINE_SECONDS);
    fd = direct_file();
    context = make_context(16);
    page_begins(&last);
    page_begins(&ending.page);
    page_begins(&turns.page);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(pthread_create(&reaper, NULL, reap_interrupted, NULL) == 0);
    for (long i = 0; i < SUBMITTERS; i++) {
        CHECK(pthread_create(&submitters[i], NULL, submit, (void *)i) == 0);
        /* The first works alone for a while. */
        if (i == 0)
            WAIT_UNTIL(atomic_load(&rounds) >= ROUNDS / 10);
    }
    while (atomic_load(&running) > 0) {
        CHECK(pthread_kill(reaper, SIGUSR1) == 0);
        usleep(500);
    }
    for (int i = 0; i < SUBMITTERS; i++)
        CHECK(pthread_join(submitters[i], NULL) == 0);
    /* The reaper is in a handler, and io_submit returns all the same. */
    for (int i = 0; i < 20; i++) {
        atomic_store(&held, 0);
        atomic_store(&holding, 1);
        CHECK(pthread_kill(reaper, SIGUSR1) == 0);
        WAIT_UNTIL(atomic_load(&held));
        turn_submitted(&turns, i, i);
        atomic_store(&holding, 0);
        page_awaited(&turns.page, i);
    }
    turn_submitted(&ending, 0, 0);
    CHECK(pthread_join(reaper, NULL) == 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
