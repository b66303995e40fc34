/* A callback forks while others wait for their turn. The child returns from its copy of the callback, and its only thread ends, and
   the process with it: it runs none of the parent's callbacks, and all of them run in the parent [B6] [C3] (fork(2); in glibc each
   callback has a thread of its own). */
#include "aiocb.h"
#include "process.h"

#define CALLBACKS 8

static pid_t parent;
static int in_child[2];
static sem_t called, all_queued;

static void callback(union sigval value)
{
    if (getpid() != parent) {
        MUST(write(in_child[1], "x", 1));
    } else if (value.sival_int == 0) {
        pid_t child;
        int status;

        AWAIT(&all_queued);
        child = MUST(fork());
        if (child == 0)
            return;
        CHECK_INT(waitpid(child, &status, 0), child);
        CHECK_INT(status, 0);
    }
    sem_post(&called);
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);
    struct aiocb cbs[CALLBACKS];
    char in[CALLBACKS][10];

    alarm(DEADLINE_SECONDS);
    parent = getpid();
    make_pipe(in_child);
    sem_init(&called, 0, 0);
    sem_init(&all_queued, 0, 0);
    for (int i = 0; i < CALLBACKS; i++) {
        cbs[i] = make_cb(fd, in[i], sizeof in[i], 0);
        notify_by_thread(&cbs[i], callback, NULL);
        cbs[i].aio_sigevent.sigev_value.sival_int = i;
        CHECK_INT(aio_read(&cbs[i]), 0);
        AWAIT_CB(&cbs[i]);
    }
    sem_post(&all_queued);
    for (int i = 0; i < CALLBACKS; i++)
        AWAIT(&called);
    close(in_child[1]);
    CHECK_INT(read(in_child[0], in[0], 1), 0);
    return 0;
}
