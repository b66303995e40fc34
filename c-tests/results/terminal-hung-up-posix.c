// face: posix
/* A read waits on a terminal whose other end is closed: EIO. A read that comes later finds the end, 0 bytes.

   [F4] n_tty_read of drivers/tty/n_tty.c, hung_up_tty_read of drivers/tty/tty_io.c; aio_read(3): the results are those of read(2). */
#define ONE_REQUEST_POSIX
#include "one-request.h"

#include "process.h"
#include "terminal.h"

/* Whether each thread but this one sleeps. */
static int others_sleep(void)
{
    DIR *threads = opendir("/proc/self/task");
    struct dirent *entry;
    int all = 1, count = 0;

    CHECK(threads != NULL);
    while ((entry = readdir(threads))) {
        pid_t thread = atoi(entry->d_name);

        if (thread == 0 || thread == gettid())
            continue;
        count++;
        all &= thread_state(getpid(), thread) == 'S';
    }
    closedir(threads);
    return all && count > 0;
}

int main(void)
{
    struct terminal t;
    char in[8];
    struct aiocb cb;

    start_deadline();
    STEP("a read that waits while the other end is closed");
    t = canonical_terminal();
    cb = make_cb(t.terminal, in, sizeof in, 0);
    CHECK_INT(aio_read(&cb), 0);
    WAIT_UNTIL(others_sleep());
    close(t.master);
    CHECK_ENDS_WITH(&cb, EIO);
    STEP("a read that comes later");
    CHECK_INT(one_request(ONE_READ, t.terminal, in, sizeof in, 0), 0);
    return 0;
}
