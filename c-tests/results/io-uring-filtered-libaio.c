// face: libaio
/* A program that is started under a seccomp filter which kills, traps or refuses the calls of io_uring has its AIO
   done, and its SIGSYS handler does not run.

   [F8] seccomp(2); systemd.exec(5), SystemCallFilter=: kills by default. AIO makes no call of io_uring in the original.
   */
#include "one-request.h"

#include "io-uring-filter.h"

static void requests(void)
{
    unsigned char *buffer = new_pages(4096);
    int direct, cached, ends[2];

    direct = scratch_file("direct", O_RDWR | O_DIRECT, 4096, 1);
    cached = scratch_file("cached", O_RDWR, 4096, 1);
    make_pipe(ends);
    for (int i = 0; i < 100; i++) {
        STEP("reads, writes and fsyncs of a file");
        CHECK_INT(one_request(ONE_READ, direct, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_WRITE, direct, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_READ, cached, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_WRITE, cached, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_FSYNC, cached, NULL, 0, 0), 0);
        STEP("a write and a read of a pipe");
        CHECK_INT(one_request(ONE_WRITE, ends[1], buffer, 1, 0), 1);
        CHECK_INT(one_request(ONE_READ, ends[0], buffer, 1, 0), 1);
    }
    close(direct);
    close(cached);
    CHECK_INT(filter_trapped, 0);
}

int main(int argc, char **argv)
{
    start_deadline();
    if (argc > 1) {
        filter_watch();
        requests();
        STEP("exit");
        exit(0);
    }
    for (int i = 0; i < FILTER_ACTIONS; i++) {
        pid_t child = fork_child();
        int status;

        if (child == 0) {
            filter_io_uring(filter_actions[i].action);
            execl("/proc/self/exe", argv[0], "filtered", NULL);
            FAIL("/proc/self/exe: %s", strerror(errno));
        }
        STEP(filter_actions[i].name);
        status = await_child(child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
            return 77;
        if (status)
            FAIL("under a filter with %s: wait status %#x", filter_actions[i].name, status);
    }
    return 0;
}
