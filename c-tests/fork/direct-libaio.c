// face: libaio
/* fork with O_DIRECT requests in flight, by the thread that submitted them or by another [A12] [C3]: the child can use AIO
   at once, and the parent loses nothing and gets nothing twice. The same for vfork and exec, and for a child that ends with
   requests of its own in flight (fork(2): the child does not inherit asynchronous operations). */
#include <spawn.h>

#include "iocb.h"
#include "direct.h"

#define N 16
#define ROUNDS 40

extern char **environ;
static int fd;
static io_context_t context;
static struct reads left;
static pthread_barrier_t barrier;

static void child(int round)
{
    io_context_t own = make_context(64);

    read_blocks(own, fd, 80, 4);
    if (round % 2) {
        struct reads mine = {.buffer = NULL};

        start_reads(own, fd, &mine, N);
        if (round % 4 == 1)
            execlp("true", "true", NULL);
    }
    _exit(0);
}

static pid_t start_child(int round)
{
    pid_t pid;

    switch (round % 4) {
    case 3:
        pid = vfork();
        if (pid == 0) {
            execlp("true", "true", NULL);
            _exit(9);
        }
        return pid;
    case 2: {
        char *arguments[] = {"true", NULL};

        return posix_spawnp(&pid, "true", NULL, NULL, arguments, environ) == 0 ? pid : -1;
    }
    default:
        pid = fork();
        if (pid == 0)
            child(round / 4);
        return pid;
    }
}

static void *forks(void *unused)
{
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&barrier);
        CHECK_CHILD(start_child(round), 0);
        pthread_barrier_wait(&barrier);
    }
    return unused;
}

int main(void)
{
    pthread_t thread;

    fd = direct_file();
    context = make_context(64);
    pthread_barrier_init(&barrier, NULL, 2);
    CHECK(pthread_create(&thread, NULL, forks, NULL) == 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct io_event events[N];

        read_blocks(context, fd, 20, 4);
        start_reads(context, fd, &left, N);
        pthread_barrier_wait(&barrier);
        pid_t mine = start_child(round + 1);
        reap(context, N, events);
        check_reads(&left, events, N);
        none_left(context);
        CHECK_CHILD(mine, 0);
        pthread_barrier_wait(&barrier);
    }
    CHECK(pthread_join(thread, NULL) == 0);
    /* The end of the process with requests in flight, by both threads' ways. */
    start_reads(context, fd, &left, N);
    return 0;
}
