// face: posix
/* Requests that are cancelled while they are queued behind others hold nothing any more: when aio_cancel has returned and the
   program has closed its end, the other end of a pipe and of a socket sees it, and the flock of a file is free.

   [E1] pipe(7), unix(7), flock(2). [B9] aio_cancel(3): a cancelled request is over. */
#include <sys/file.h>
#include <sys/socket.h>

#include "aiocb.h"
#include "behaviour.h"
#include "fuse-server.h"

#define ROUNDS 100

static struct aiocb cbs[3];
static char bytes[3];

/* Cancels the two requests on `fd` that are queued behind the first. */
static void cancel(int fd)
{
    for (int i = 1; i < 3; i++)
        CHECK_INT(aio_cancel(fd, &cbs[i]), AIO_CANCELED);
    for (int i = 1; i < 3; i++)
        CHECK_ENDS_WITH(&cbs[i], ECANCELED);
}

static void of_ends(int ends[2])
{
    for (int i = 0; i < 3; i++) {
        cbs[i] = make_cb(ends[0], &bytes[i], 1, 0);
        CHECK_INT(aio_read(&cbs[i]), 0);
    }
    cancel(ends[0]);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&cbs[0], 1);
    MUST(close(ends[0]));
    CHECK_INT(write(ends[1], "x", 1), -1);
    CHECK_INT(errno, EPIPE);
    MUST(close(ends[1]));
}

int main(void)
{
    int ends[2], fd, other;

    start_deadline();
    signal(SIGPIPE, SIG_IGN);
    STEP("reads of pipes and sockets");
    for (int round = 0; round < ROUNDS; round++) {
        make_pipe(ends);
        of_ends(ends);
        MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
        of_ends(ends);
    }
    fuse_start(4096, 1);
    STEP("appends to a server's file");
    for (int round = 0; round < 10; round++) {
        fd = fuse_open("a", O_WRONLY | O_APPEND);
        MUST(flock(fd, LOCK_EX));
        fuse_hold(FUSE_HOLD_WRITES);
        for (int i = 0; i < 3; i++) {
            cbs[i] = make_cb(fd, &bytes[i], 1, 0);
            CHECK_INT(aio_write(&cbs[i]), 0);
        }
        WAIT_UNTIL(atomic_load(&fuse->held) > 0);
        cancel(fd);
        fuse_release();
        CHECK_DONE(&cbs[0], 1);
        MUST(close(fd));
        other = fuse_open("a", O_RDONLY);
        MUST(flock(other, LOCK_EX | LOCK_NB));
        MUST(close(other));
    }
    return 0;
}
