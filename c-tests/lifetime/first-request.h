/* The body of closed-while-starting.c and fuse-closed-while-starting.c, which say what it does: in each of PROCESSES processes
   one thread does `open_and_close` over and over while another makes the process's first request. */
#include <sys/file.h>

#include "aiocb.h"
#include "behaviour.h"

static atomic_int is_over;

/* Opens files, checks that they are the caller's alone, and closes them. */
static void open_and_close(void);

static void *opens_and_closes(void *unused)
{
    (void)unused;
    while (!atomic_load(&is_over))
        open_and_close();
    return NULL;
}

static void first_request(void)
{
    pthread_t thread = start_thread(opens_and_closes, NULL);
    struct aiocb cb;
    int ends[2];
    char byte;

    make_pipe(ends);
    cb = make_cb(ends[0], &byte, 1, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&cb, 1);
    atomic_store(&is_over, 1);
    join_thread(thread);
}

static void make_first_requests(void)
{
    for (int i = 0; i < PROCESSES; i++) {
        pid_t child = MUST(fork());

        if (child == 0) {
            first_request();
            _exit(0);
        }
        CHECK_INT(await_child(child), 0);
    }
}
