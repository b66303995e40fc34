/* aio_cancel of a descriptor finds its request also after other numbers were closed: one that is 4096 higher, a range near it, and a
   range that is only marked close-on-exec. AIO_ALLDONE would tell the program that the buffer is its own [B9] (glibc manual, "Cancel
   AIO Operations"). */
#include <linux/close_range.h>
#include <sys/resource.h>

#include "aiocb.h"

#define FD 40
#define APART 4096

static void closes_another(void)
{
    close(MUST(fcntl(STDERR_FILENO, F_DUPFD, FD + APART)));
}

static void closes_what_is_not_open(void)
{
    CHECK_INT(close(FD + APART), -1);
}

static void closes_a_range(void)
{
    MUST(close_range(FD + 10, FD + 20, 0));
}

static void marks_a_range(void)
{
    MUST(close_range(3, ~0U, CLOSE_RANGE_CLOEXEC));
}

static void marks_a_range_by_number(void)
{
    MUST(syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC));
}

int main(void)
{
    void (*const others[])(void) = {closes_another, closes_what_is_not_open, closes_a_range, marks_a_range, marks_a_range_by_number};
    struct rlimit limit = {2 * APART, 2 * APART};

    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        SKIP("RLIMIT_NOFILE: %s", strerror(errno));
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++) {
        int ends[2], answer;
        char in;
        struct aiocb cb;

        make_pipe(ends);
        CHECK_INT(fcntl(ends[0], F_DUPFD, FD), FD);
        cb = make_cb(FD, &in, 1, 0);
        CHECK_INT(aio_read(&cb), 0);
        others[i]();
        answer = aio_cancel(FD, NULL);
        /* glibc cancels nothing that a thread of its own is at. */
        if (answer == AIO_CANCELED) {
            CHECK_ENDS_WITH(&cb, ECANCELED);
        } else {
            CHECK_INT(answer, AIO_NOTCANCELED);
            CHECK_INT(write(ends[1], "x", 1), 1);
            CHECK_DONE(&cb, 1);
        }
        CHECK_INT(aio_cancel(FD, NULL), AIO_ALLDONE);
        close(FD);
        close(ends[0]);
        close(ends[1]);
    }
    return 0;
}
