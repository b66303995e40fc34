// face: posix
/* A thread opens, locks and closes a file, and makes pipes and closes their ends, over and over, while another thread makes
   the process's first request, for which helper threads are started: a closed file is closed, its lock is free, and a pipe
   whose write end is closed has ended, each time.

   [E1] flock(2): a lock lasts until the last descriptor of its open file is closed; pipe(7). Nobody but the program has
   its files open. */
#include <sys/file.h>

#include "aiocb.h"
#include "behaviour.h"

#define PROCESSES 40

static char *path;
static atomic_int is_over;

static void *opens_and_closes(void *unused)
{
    (void)unused;
    while (!atomic_load(&is_over)) {
        int fd = MUST(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)), ends[2];
        char byte;

        MUST(flock(fd, LOCK_EX | LOCK_NB));
        MUST(close(fd));
        MUST(pipe2(ends, O_NONBLOCK | O_CLOEXEC));
        MUST(close(ends[1]));
        CHECK_INT(read(ends[0], &byte, 1), 0);
        MUST(close(ends[0]));
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
    path = test_path("locked");
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
