/* Adds up the bytes of a file in a libuv loop: a uv_poll_t waits for the eventfd by which POSIX AIO tells of its ends, beside a
   timer and whatever else the loop waits for. */
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uringaio.h>
#include <uv.h>

enum { SLOTS = 16, CHUNK = 64 * 1024 };

static struct aiocb requests[SLOTS];
static int is_active[SLOTS];
static int file, completions, outstanding;
static off_t next, size;
static unsigned long long sum, bytes;
static uv_poll_t ends;
static uv_timer_t second;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "libuv: %s: %s\n", what, why);
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
        die("aio_read", strerror(errno));
    next += CHUNK;
    outstanding++;
}

/* Takes what this slot has read, if its request has ended. Returns whether it has. */
static int finish(int slot)
{
    const unsigned char *buffer = (void *)requests[slot].aio_buf;
    int error = is_active[slot] ? aio_error(&requests[slot]) : EINPROGRESS;
    ssize_t length;

    if (error == EINPROGRESS)
        return 0;
    if (error != 0)
        die("read", strerror(error));
    length = aio_return(&requests[slot]);
    for (ssize_t i = 0; i < length; i++)
        sum += buffer[i];
    bytes += length;
    outstanding--;
    return 1;
}

/* `count` requests have ended. The count is exact, so the search for them ends. */
static void on_ends(uv_poll_t *poll, int status, int events)
{
    uint64_t count;

    (void)events;
    if (status < 0)
        die("uv_poll", uv_strerror(status));
    if (read(completions, &count, sizeof count) != sizeof count)
        return;
    for (int slot = 0; count > 0; slot = (slot + 1) % SLOTS)
        if (finish(slot)) {
            start(slot);
            count--;
        }
    if (outstanding == 0) {
        uv_close((uv_handle_t *)poll, NULL);
        uv_close((uv_handle_t *)&second, NULL);
    }
}

static void on_second(uv_timer_t *timer)
{
    (void)timer;
    fprintf(stderr, "%llu bytes\n", bytes);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    struct stat status;

    completions = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    file = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    if (file < 0 || fstat(file, &status) != 0) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    if (completions < 0)
        die("eventfd", strerror(errno));
    size = status.st_size;
    for (int slot = 0; slot < SLOTS; slot++) {
        requests[slot].aio_buf = malloc(CHUNK);
        if (!requests[slot].aio_buf)
            die("malloc", strerror(ENOMEM));
        start(slot);
    }
    if (outstanding > 0) {
        if (uv_poll_init(loop, &ends, completions) != 0 || uv_poll_start(&ends, UV_READABLE, on_ends) != 0 ||
            uv_timer_init(loop, &second) != 0 || uv_timer_start(&second, on_second, 1000, 1000) != 0)
            die("loop", "cannot start");
        uv_run(loop, UV_RUN_DEFAULT);
    }
    uv_loop_close(loop);
    printf("%llu bytes, sum %llu\n", bytes, sum);
    return 0;
}
