/* Adds up the bytes of a file in an event loop: POSIX AIO tells of its ends by an eventfd, beside a timer and whatever else the
   loop waits for. */
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <uringaio.h>

enum { SLOTS = 16, CHUNK = 64 * 1024 };

static struct aiocb requests[SLOTS];
static int is_active[SLOTS];
static int file, completions;
static off_t next, size;
static unsigned long long sum, bytes;

static void die(const char *what, int error)
{
    fprintf(stderr, "epoll: %s: %s\n", what, strerror(error));
    exit(1);
}

/* Starts the next read with this slot, if there is anything left to read. */
static void start(int slot)
{
    struct aiocb *request = &requests[slot];

    is_active[slot] = next < size;
    if (!is_active[slot])
        return;
    request->aio_fildes = file;
    request->aio_offset = next;
    request->aio_nbytes = CHUNK;
    uringaio_sigevent_eventfd(&request->aio_sigevent, completions);
    if (aio_read(request) != 0)
        die("aio_read", errno);
    next += CHUNK;
}

/* Takes `count` requests that have ended, and starts others. The count is exact, so the search ends. */
static void finish(unsigned long long count)
{
    for (int slot = 0; count > 0; slot = (slot + 1) % SLOTS) {
        const unsigned char *buffer = (void *)requests[slot].aio_buf;
        int error = is_active[slot] ? aio_error(&requests[slot]) : EINPROGRESS;
        ssize_t length;

        if (error == EINPROGRESS)
            continue;
        if (error != 0)
            die("read", error);
        length = aio_return(&requests[slot]);
        for (ssize_t i = 0; i < length; i++)
            sum += buffer[i];
        bytes += length;
        count--;
        start(slot);
    }
}

static void watch(int loop, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

    if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) != 0)
        die("epoll_ctl", errno);
}

int main(int argc, char **argv)
{
    struct itimerspec second = { { 1, 0 }, { 1, 0 } };
    unsigned long long taken = 0, wanted;
    int loop = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    struct stat status;

    completions = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    file = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    if (file < 0 || fstat(file, &status) != 0) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    if (loop < 0 || timer < 0 || completions < 0 || timerfd_settime(timer, 0, &second, NULL) != 0)
        die("epoll", errno);
    size = status.st_size;
    wanted = (size + CHUNK - 1) / CHUNK;
    watch(loop, completions);
    watch(loop, timer);
    for (int slot = 0; slot < SLOTS; slot++) {
        requests[slot].aio_buf = malloc(CHUNK);
        if (!requests[slot].aio_buf)
            die("malloc", ENOMEM);
        start(slot);
    }
    while (taken < wanted) {
        struct epoll_event events[8];
        int ready = epoll_wait(loop, events, 8, -1);

        if (ready < 0 && errno != EINTR)
            die("epoll_wait", errno);
        for (int i = 0; i < ready; i++) {
            unsigned long long count;

            if (read(events[i].data.fd, &count, sizeof count) != sizeof count)
                continue;
            if (events[i].data.fd == timer) {
                fprintf(stderr, "%llu bytes\n", bytes);
            } else {
                taken += count;
                finish(count);
            }
        }
    }
    printf("%llu bytes, sum %llu\n", bytes, sum);
    return 0;
}
