// face: libaio
/* A thread has a few O_DIRECT reads in flight, then thousands, while a signal handler of its own submits and waits as well:
   each read ends once with the right bytes [A10]. Then it leaves two thousand to another thread and sleeps or ends: a
   context belongs to the process, so they complete without it. */
#include <semaphore.h>
#include <sys/time.h>

#include "iocb.h"
#include "direct.h"

#define DEEP 3000
#define SECTOR 512
#define AT_ONCE 100

static int fd;
static io_context_t context, handlers;
static struct iocb iocbs[DEEP], others[8];
static char *buffer, *others_buffer;
static atomic_int others_in_flight;
static atomic_long others_done;
static sem_t left, leave_it;

static void prepare(int i, unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345;
    memset(buffer + i * SECTOR, 0, SECTOR);
    io_prep_pread(&iocbs[i], fd, buffer + i * SECTOR, SECTOR, (long long)(*seed >> 8) % (BLOCKS * BLOCK / SECTOR) * SECTOR);
}

static void submit(struct iocb **list, int count)
{
    for (int done = 0; done < count;) {
        int ret = io_submit(context, count - done < AT_ONCE ? count - done : AT_ONCE, list + done);

        CHECK(ret > 0);
        done += ret;
    }
}

static int check(const struct io_event *events, int count, struct iocb **list)
{
    for (int i = 0; i < count; i++) {
        struct iocb *iocb = events[i].obj;

        CHECK(iocb >= iocbs && iocb < iocbs + DEEP && iocb->data == iocb);
        iocb->data = NULL;
        CHECK_INT((long)events[i].res, SECTOR);
        check_pattern_at(iocb->u.c.buf, SECTOR, 0, iocb->u.c.offset);
        list[i] = iocb;
    }
    return count;
}

static void on_alarm(int signal)
{
    int before = errno;
    struct io_event events[8];
    struct timespec now = { 0, 0 };
    struct iocb *list[1];
    int got;

    (void)signal;
    got = io_getevents(handlers, 0, 8, events, &now);
    for (int i = 0; i < got; i++)
        CHECK((long)events[i].res == SECTOR);
    if (got > 0) {
        others_in_flight -= got;
        others_done += got;
    }
    while (others_in_flight < 8) {
        list[0] = &others[others_in_flight];
        io_prep_pread(list[0], fd, others_buffer, SECTOR, 0);
        if (io_submit(handlers, 1, list) != 1)
            break;
        others_in_flight++;
    }
    errno = before;
}

/* `depth` in flight for `count` requests, then none. */
static void keep(int depth, long count, unsigned *seed)
{
    static struct iocb *list[DEEP];
    static struct io_event events[64];
    int in_flight = 0, ready = depth;

    for (int i = 0; i < depth; i++)
        list[i] = &iocbs[i];
    while (in_flight > 0 || count > 0) {
        if (count > 0 && ready > 0) {
            for (int i = 0; i < ready; i++) {
                prepare(list[i] - iocbs, seed);
                list[i]->data = list[i];
            }
            submit(list, ready);
            in_flight += ready;
            count -= ready;
        }
        ready = io_getevents(context, 1, 64, events, NULL);
        if (ready == -EINTR)
            ready = 0;
        CHECK(ready >= 0);
        in_flight -= check(events, ready, list);
    }
}

static void *work(void *argument)
{
    struct itimerval often = { { 0, 700 }, { 0, 700 } }, never = { 0 };
    struct iocb *list[DEEP];
    unsigned seed = 7;

    read_blocks(context, fd, 100, 8);
    if (!argument) {
        CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
        for (int round = 0; round < 6; round++) {
            keep(8, 400, &seed);
            keep(DEEP / (6 - round), 5000, &seed);
        }
        CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    } else {
        keep(2000, 5000, &seed);
    }
    for (int i = 0; i < 2000; i++) {
        prepare(i, &seed);
        list[i] = iocbs[i].data = &iocbs[i];
    }
    submit(list, 2000);
    CHECK(sem_post(&left) == 0);
    if (argument)
        return NULL;
    while (sem_wait(&leave_it) != 0)
        CHECK(errno == EINTR);
    return NULL;
}

int main(void)
{
    static struct io_event events[2000];
    static struct iocb *list[2000];
    struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
    sigset_t alarms;

    fd = direct_file();
    buffer = aligned(DEEP * SECTOR);
    others_buffer = aligned(SECTOR);
    CHECK(sem_init(&left, 0, 0) == 0 && sem_init(&leave_it, 0, 0) == 0);
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    handlers = make_context(64);
    for (long ends = 0; ends < 2; ends++) {
        pthread_t thread;

        context = make_context(DEEP);
        CHECK(pthread_create(&thread, NULL, work, (void *)ends) == 0);
        CHECK(pthread_sigmask(SIG_BLOCK, &alarms, NULL) == 0);
        while (sem_wait(&left) != 0)
            CHECK(errno == EINTR);
        if (ends)
            CHECK(pthread_join(thread, NULL) == 0);
        reap(context, 2000, events);
        check(events, 2000, list);
        none_left(context);
        CHECK(sem_post(&leave_it) == 0);
        if (!ends)
            CHECK(pthread_join(thread, NULL) == 0);
        CHECK_INT(io_destroy(context), 0);
        CHECK(pthread_sigmask(SIG_UNBLOCK, &alarms, NULL) == 0);
    }
    CHECK(others_done > 0);
    return 0;
}
