/* Copies a file with POSIX AIO: eight reads and writes under way at any time, none waits for another. */
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLOTS = 8, CHUNK = 64 * 1024 };

struct slot {
    struct aiocb request; /* a read at first, then a write of what was read */
    int writes;
};

static void die(const char *what, int error)
{
    fprintf(stderr, "copy: %s: %s\n", what, strerror(error));
    exit(1);
}

static void start(struct slot *slot, int fd, off_t offset, size_t length, int writes)
{
    struct aiocb *request = &slot->request;

    request->aio_fildes = fd;
    request->aio_offset = offset;
    request->aio_nbytes = length;
    request->aio_sigevent.sigev_notify = SIGEV_NONE;
    slot->writes = writes;
    if ((writes ? aio_write(request) : aio_read(request)) != 0)
        die(writes ? "aio_write" : "aio_read", errno);
}

int main(int argc, char **argv)
{
    static struct slot slots[SLOTS];
    const struct aiocb *waiting[SLOTS] = { NULL };
    struct stat status;
    off_t next = 0;
    int from, to, active = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: %s FROM TO\n", argv[0]);
        return 2;
    }
    from = open(argv[1], O_RDONLY);
    if (from < 0 || fstat(from, &status) != 0)
        die(argv[1], errno);
    to = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (to < 0)
        die(argv[2], errno);

    for (int i = 0; i < SLOTS && next < status.st_size; i++, next += CHUNK, active++) {
        slots[i].request.aio_buf = malloc(CHUNK);
        if (!slots[i].request.aio_buf)
            die("malloc", ENOMEM);
        waiting[i] = &slots[i].request;
        start(&slots[i], from, next, CHUNK, 0);
    }
    while (active > 0) {
        if (aio_suspend(waiting, SLOTS, NULL) != 0 && errno != EINTR)
            die("aio_suspend", errno);
        for (int i = 0; i < SLOTS; i++) {
            struct slot *slot = &slots[i];
            ssize_t count;
            int error;

            if (!waiting[i] || (error = aio_error(&slot->request)) == EINPROGRESS)
                continue;
            count = aio_return(&slot->request);
            if (error)
                die(slot->writes ? argv[2] : argv[1], error);
            if (!slot->writes && count > 0) {
                start(slot, to, slot->request.aio_offset, count, 1);
            } else if (next < status.st_size) {
                start(slot, from, next, CHUNK, 0);
                next += CHUNK;
            } else {
                waiting[i] = NULL;
                active--;
            }
        }
    }
    /* Behind every write that was queued before it. */
    memset(&slots[0].request, 0, sizeof slots[0].request);
    slots[0].request.aio_fildes = to;
    slots[0].request.aio_sigevent.sigev_notify = SIGEV_NONE;
    waiting[0] = &slots[0].request;
    if (aio_fsync(O_SYNC, &slots[0].request) != 0)
        die("aio_fsync", errno);
    while (aio_error(&slots[0].request) == EINPROGRESS)
        aio_suspend(waiting, 1, NULL);
    if (aio_error(&slots[0].request) != 0)
        die("aio_fsync", aio_error(&slots[0].request));
    return 0;
}
