// face: libaio
/* Threads that take the events of what another submits are cancelled at any point: what was submitted is read all the same,
   and no call that closes a descriptor has to wait for them [D7]. */
#include "reaper.h"

#define REAPERS 60
#define ROUNDS 80

static _Atomic pid_t reaper_id;

static void *reap_until_cancelled(void *unused)
{
    struct io_event events[16];

    reaper_id = this_thread();
    CHECK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL) == 0);
    for (;;) {
        CHECK(io_getevents(context, 1, 16, events, NULL) >= 1);
        pthread_testcancel();
    }
    return unused;
}

/* Only the bytes say that it was read: the events belong to the other thread. */
static void read_in(struct iocb *iocb, int fd, char *buffer, long long block)
{
    memset(buffer, 0, BLOCK);
    io_prep_pread(iocb, fd, buffer, BLOCK, block * BLOCK);
    submit_one(context, iocb);
}

static void await_bytes(const char *buffer, long long block)
{
    char want[BLOCK];

    fill_pattern_at(want, BLOCK, 0, block * BLOCK);
    for (int64_t end = deadline_ns(); memcmp(buffer, want, BLOCK) != 0; sched_yield()) {
        CHECK(now_ns() < end);
        atomic_thread_fence(memory_order_acquire);
    }
}

int main(void)
{
    int fd = direct_file();
    char *buffer = aligned(BLOCK);

    alarm(DEADLINE_SECONDS);
    for (int i = 0; i < REAPERS; i++) {
        pthread_t reaper;
        struct iocb iocb;

        context = make_context(256);
        CHECK(pthread_create(&reaper, NULL, reap_until_cancelled, NULL) == 0);
        for (int k = 0; k < ROUNDS; k++) {
            read_in(&iocb, fd, buffer, k % BLOCKS);
            await_bytes(buffer, k % BLOCKS);
        }
        WAIT_UNTIL(thread_sleeps(reaper_id));
        read_in(&iocb, fd, buffer, i % BLOCKS);
        for (int64_t end = now_ns() + i * 1000LL; now_ns() < end;)
            ;
        CHECK(pthread_cancel(reaper) == 0);
        await_bytes(buffer, i % BLOCKS);
        /* glibc 2.34 to 2.36 forget a cancellation that comes where it is disabled, but not at the next point for one. */
        for (int k = 0; pthread_tryjoin_np(reaper, NULL) != 0; k++) {
            if (k < 8) {
                read_in(&iocb, fd, buffer, i % BLOCKS);
                await_bytes(buffer, i % BLOCKS);
            }
            usleep(500);
        }
        /* (What it was cancelled in may be one that io_destroy waits for.) */
    }
    for (int i = 0; i < 200; i++)
        CHECK(close(dup(fd)) == 0);
    return 0;
}
