// face: libaio
/* A thread leaves O_DIRECT requests in flight and sleeps, in each of several calls, or runs without a call: another thread
   gets all events, by io_getevents or out of the ring in memory, while the first is still away [A1] [D8] (io_getevents(2)
   names no thread). */
#include <sys/epoll.h>

#include "iocb.h"
#include "direct.h"

#define N 16

enum way { COND, EPOLL, PAUSE, SIGWAIT, PIPE, SPIN, WAYS };

static int fd, pipe_ends[2], event_fd, epoll_fd;
static enum way way;
static io_context_t context;
static struct reads left;
static atomic_int away, back;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void nothing(int signal)
{
    (void)signal;
}

static void *submitter(void *unused)
{
    struct epoll_event event;
    sigset_t usr1;
    char byte;
    int signal, ret;

    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    if (way == SIGWAIT)
        pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    read_blocks(context, fd, 200, 8);
    start_reads(context, fd, &left, N);
    atomic_store(&away, gettid());
    switch (way) {
    case COND:
        pthread_mutex_lock(&mutex);
        while (!atomic_load(&back))
            pthread_cond_wait(&condition, &mutex);
        pthread_mutex_unlock(&mutex);
        break;
    case EPOLL:
        while ((ret = epoll_wait(epoll_fd, &event, 1, -1)) < 0)
            CHECK_INT(errno, EINTR);
        break;
    case PAUSE:
        while (!atomic_load(&back))
            pause();
        break;
    case SIGWAIT:
        CHECK_INT(sigwait(&usr1, &signal), 0);
        break;
    case PIPE:
        CHECK_INT(read(pipe_ends[0], &byte, 1), 1);
        break;
    default:
        while (!atomic_load(&back))
            ;
    }
    CHECK(atomic_load(&back));
    return unused;
}

static void end_sleep(pthread_t thread)
{
    uint64_t one = 1;

    atomic_store(&back, 1);
    switch (way) {
    case COND:
        pthread_mutex_lock(&mutex);
        pthread_cond_signal(&condition);
        pthread_mutex_unlock(&mutex);
        break;
    case EPOLL:
        CHECK_INT(write(event_fd, &one, 8), 8);
        break;
    case PAUSE:
    case SIGWAIT:
        while (pthread_tryjoin_np(thread, NULL) == EBUSY) {
            pthread_kill(thread, SIGUSR1);
            usleep(1000);
        }
        return;
    case PIPE:
        CHECK_INT(write(pipe_ends[1], "x", 1), 1);
        break;
    default:
        break;
    }
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    uint64_t count;

    fd = direct_file();
    CHECK(pipe(pipe_ends) == 0);
    event_fd = eventfd(0, 0);
    epoll_fd = epoll_create1(0);
    CHECK(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &event) == 0);
    signal(SIGUSR1, nothing);
    for (int in_memory = 0; in_memory < 2; in_memory++)
        for (way = 0; way < WAYS; way++) {
            struct io_event events[N];
            pthread_t thread;

            context = make_context(2 * N);
            atomic_store(&away, 0);
            atomic_store(&back, 0);
            CHECK(pthread_create(&thread, NULL, submitter, NULL) == 0);
            WAIT_UNTIL(atomic_load(&away) && (way == SPIN || thread_sleeps(atomic_load(&away))));
            if (in_memory)
                for (int i = 0; i < N; i++)
                    WAIT_UNTIL(ring_take(context, &events[i]));
            else
                reap(context, N, events);
            check_reads(&left, events, N);
            end_sleep(thread);
            if (way == EPOLL)
                CHECK_INT(read(event_fd, &count, 8), 8);
            none_left(context);
            CHECK_INT(io_destroy(context), 0);
        }
    return 0;
}
