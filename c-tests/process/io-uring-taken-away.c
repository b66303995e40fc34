/* A seccomp filter that the program sets for all its threads, and that refuses io_uring from then on, loses and doubles no
   request: what was submitted before ends once and right, and what is submitted after is served [C5] (seccomp(2),
   SECCOMP_FILTER_FLAG_TSYNC). Sandboxed workers and browsers do so after they have started. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>

#include "aiocb.h"
#include "check.h"
#include "deadline.h"
#include "files.h"
#include "process.h"
#include "refuse-io-uring.h"

#define THREADS 3
#define DEPTH 16
#define BLOCK 4096
#define STREAMS 8
#define LONG_WRITE 300000

static int file;
static atomic_uint busy, refused;

static void refuse_io_uring(int error)
{
    struct sock_filter filter[] = REFUSE_IO_URING(SECCOMP_RET_ERRNO | error);
    struct sock_fprog program = { .len = sizeof filter / sizeof filter[0], .filter = filter };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
        SKIP("seccomp: %s", strerror(errno));
}

/* Writes blocks of its own, other bytes each round, and reads them back: before, while and after the filter comes. */
static void *keep_busy(void *argument)
{
    unsigned thread = (unsigned)(uintptr_t)argument;
    unsigned char block[DEPTH][BLOCK];
    struct aiocb cb[DEPTH];

    for (unsigned round = 0, after = 0; after < 20; round++) {
        after += atomic_load(&refused);
        for (int pass = 0; pass < 2; pass++) {
            for (unsigned i = 0; i < DEPTH; i++) {
                if (pass == 0)
                    fill_pattern(block[i], BLOCK, round * DEPTH + i);
                else
                    memset(block[i], 0, BLOCK);
                cb[i] = make_cb(file, block[i], BLOCK, (off_t)(thread * DEPTH + i) * BLOCK);
                MUST(pass == 0 ? aio_write(&cb[i]) : aio_read(&cb[i]));
            }
            for (unsigned i = 0; i < DEPTH; i++) {
                CHECK_DONE(&cb[i], BLOCK);
                CHECK(is_pattern(block[i], BLOCK, round * DEPTH + i));
            }
        }
        if (round == 2)
            atomic_fetch_add(&busy, 1);
    }
    return NULL;
}

int main(void)
{
    int quiet[2], full[2], idle[2];
    unsigned char byte[STREAMS], other, *out = malloc(LONG_WRITE), *in = malloc(LONG_WRITE);
    struct aiocb reads[STREAMS], writing, stopped, flushed;
    pthread_t threads[THREADS];

    file = temp_file(O_RDWR);
    make_pipe(quiet);
    make_pipe(full);
    make_pipe(idle);

    /* What waits when the filter comes: reads in order, one to be cancelled later, a write that is half-way. */
    for (int i = 0; i < STREAMS; i++) {
        reads[i] = make_cb(quiet[0], &byte[i], 1, 0);
        MUST(aio_read(&reads[i]));
    }
    stopped = make_cb(idle[0], &other, 1, 0);
    MUST(aio_read(&stopped));
    fill_pattern(out, LONG_WRITE, 99);
    writing = make_cb(full[1], out, LONG_WRITE, 0);
    MUST(aio_write(&writing));

    for (uintptr_t i = 0; i < THREADS; i++)
        threads[i] = start_thread(keep_busy, (void *)i);
    WAIT_UNTIL(atomic_load(&busy) == THREADS);
    refuse_io_uring(EPERM);
    atomic_store(&refused, 1);
    for (int i = 0; i < THREADS; i++)
        join_thread(threads[i]);

    for (int i = 0; i < STREAMS; i++)
        CHECK_PENDING(&reads[i]);
    CHECK_INT(write(quiet[1], "abcdefgh", STREAMS), STREAMS);
    for (int i = 0; i < STREAMS; i++) {
        CHECK_DONE(&reads[i], 1);
        CHECK_INT(byte[i], "abcdefgh"[i]);
    }
    CHECK_PENDING(&writing);
    read_whole(full[0], in, LONG_WRITE);
    CHECK_DONE(&writing, LONG_WRITE);
    CHECK(is_pattern(in, LONG_WRITE, 99));

    flushed = make_cb(file, NULL, 0, 0);
    MUST(aio_fsync(O_SYNC, &flushed));
    CHECK_DONE(&flushed, 0);

    /* Cancelled, or, where that cannot be, completed by the byte. */
    if (aio_cancel(idle[0], &stopped) == AIO_CANCELED) {
        CHECK_ENDS_WITH(&stopped, ECANCELED);
    } else {
        CHECK_INT(write(idle[1], "x", 1), 1);
        CHECK_DONE(&stopped, 1);
    }
    return 0;
}
