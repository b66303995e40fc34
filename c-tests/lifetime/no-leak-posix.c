// build: -fsanitize=leak
// unsanitized: tsan -- it is LeakSanitizer's
/* A leak checker finds nothing: aiocbs, buffers and the values of notifications that the program has no pointer to itself
   while their requests are outstanding, then after the requests have ended and the library's threads as well, and at exit.

   [E4] Memory that is only known to the C library is reachable for LeakSanitizer through glibc's lists of requests. A program
   that is clean on the original stays so. */
#include "aiocb.h"
#include "behaviour.h"

#include <sanitizer/lsan_interface.h>

#define REQUESTS 100

static struct passage {
    int ends[2];
} pipes[REQUESTS];

static _Atomic int notified;

static void note(union sigval value)
{
    struct aiocb *cb = value.sival_ptr;

    CHECK_INT(aio_error(cb), 0);
    CHECK_INT(aio_return(cb), 1);
    free((void *)cb->aio_buf);
    free(cb);
    atomic_fetch_add(&notified, 1);
}

/* A read that waits, known to nobody but the library. */
__attribute__((noinline)) static void read_and_forget(int pipe)
{
    struct aiocb *cb = malloc(sizeof *cb);

    CHECK(cb);
    *cb = make_cb(pipe, malloc(100), 100, 0);
    notify_by_thread(cb, note, cb);
    CHECK_INT(aio_read(cb), 0);
}

static void *read_from_all(void *unused)
{
    for (int i = 0; i < REQUESTS; i++)
        read_and_forget(pipes[i].ends[0]);
    return unused;
}

int main(void)
{
    start_deadline();
    for (int i = 0; i < REQUESTS; i++)
        make_pipe(pipes[i].ends);
    STEP("the requests");
    /* In a thread, whose stack is gone afterwards. */
    join_thread(start_thread(read_from_all, NULL));
    STEP("the leak check with requests outstanding");
    CHECK_INT(__lsan_do_recoverable_leak_check(), 0);
    STEP("the ends");
    for (int i = 0; i < REQUESTS; i++)
        CHECK_INT(write(pipes[i].ends[1], "x", 1), 1);
    WAIT_UNTIL(atomic_load(&notified) == REQUESTS);
    STEP("the leak check without requests");
    CHECK_INT(__lsan_do_recoverable_leak_check(), 0);
    return 0;
}
