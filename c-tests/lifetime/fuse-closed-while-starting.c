// face: posix
/* A thread opens, locks and closes a file of a file server, on which no request is ever made, while another thread makes the
   process's first request, for which helper threads are started: when it is opened again its lock is free.

   [E1] flock(2): a lock lasts until the last descriptor of its open file is closed. */
#include <sys/file.h>

#include "aiocb.h"
#include "behaviour.h"
#include "fuse-server.h"

#define PROCESSES 60

static atomic_int is_over;

static void *opens_and_closes(void *unused)
{
    (void)unused;
    while (!atomic_load(&is_over)) {
        int fd = fuse_open("a", O_RDWR);

        MUST(flock(fd, LOCK_EX | LOCK_NB));
        MUST(close(fd));
    }
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

int main(void)
{
    start_deadline();
    fuse_start(1 << 16, 1);
    for (int i = 0; i < PROCESSES; i++) {
        pid_t child = MUST(fork());

        if (child == 0) {
            first_request();
            _exit(0);
        }
        CHECK_INT(await_child(child), 0);
    }
    return 0;
}
