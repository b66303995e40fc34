/* A request on a descriptor with O_NONBLOCK does not wait for one that waits on another descriptor of the same pipe or FIFO: it ends
   with EAGAIN, as read(2) and write(2) do [B7] [B15]. */
#include "aiocb.h"

#include <sys/stat.h>

#define LARGE 100000

static char in[LARGE], out[LARGE];

static void fill(int fd)
{
    while (write(fd, out, 4096) > 0)
        continue;
    CHECK_INT(errno, EAGAIN);
}

/* `fd` waits, `other` does not. */
static void read_beside(int fd, int other, int writer)
{
    char bytes[2];
    struct aiocb cb = make_cb(fd, in, 3, 0), beside[2];

    CHECK_INT(aio_read(&cb), 0);
    for (int i = 0; i < 2; i++) {
        beside[i] = make_cb(other, &bytes[i], 1, 0);
        CHECK_INT(aio_read(&beside[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        CHECK_ENDS_WITH(&beside[i], EAGAIN);
    CHECK_PENDING(&cb);
    CHECK_INT(write(writer, "abc", 3), 3);
    CHECK_DONE(&cb, 3);
    CHECK_INT(memcmp(in, "abc", 3), 0);
}

int main(void)
{
    char name[64];
    int ends[2];

    MUST(mkfifo("fifo", 0600));
    int both = MUST(open("fifo", O_RDWR));
    int reader = MUST(open("fifo", O_RDONLY)), writer = MUST(open("fifo", O_WRONLY));
    int ready = MUST(open("fifo", O_RDONLY | O_NONBLOCK)), ready_writer = MUST(open("fifo", O_WRONLY | O_NONBLOCK));
    read_beside(reader, ready, both);

    fill(ready_writer);
    struct aiocb cb = make_cb(writer, out, LARGE, 0), beside = make_cb(ready_writer, out, 10, 0);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_INT(aio_write(&beside), 0);
    CHECK_ENDS_WITH(&beside, EAGAIN);
    while (aio_error(&cb) == EINPROGRESS)
        (void)!read(ready, in, sizeof in);
    CHECK_DONE(&cb, LARGE);

    CHECK_INT(pipe(ends), 0);
    snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
    read_beside(ends[0], MUST(open(name, O_RDONLY | O_NONBLOCK)), ends[1]);
    return 0;
}
