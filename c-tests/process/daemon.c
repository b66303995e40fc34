/* daemon(3) after AIO was used: the daemon does AIO, with nothing but its own descriptors [C2] [C3]. */
// oracle-deadline: 2
#include "aiocb.h"
#include "process.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1), ends[2], report[2], wait_for;
    char in[10], answer[64] = "";
    struct aiocb cb = make_cb(fd, in, sizeof in, 0);

    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, sizeof in);
    make_pipe(ends);
    make_pipe(report);
    struct aiocb waiting = make_cb(ends[0], in, 1, 0);
    CHECK_INT(aio_read(&waiting), 0);
    pid_t child = MUST(fork());
    if (child == 0) {
        int before = count_descriptors();

        if (daemon(1, 0) == -1)
            _exit(1);
        dup2(report[1], 2);
        cb = make_cb(fd, in, sizeof in, 5);
        CHECK_INT(aio_read(&cb), 0);
        CHECK_DONE(&cb, sizeof in);
        CHECK_INT(count_descriptors(), before);
        CHECK_INT(write(report[1], "well", 4), 4);
        _exit(0);
    }
    close(report[1]);
    CHECK_CHILD(child, 0);
    for (size_t have = 0; (wait_for = read(report[0], answer + have, sizeof answer - 1 - have)) > 0;)
        have += wait_for;
    if (strcmp(answer, "well") != 0)
        FAIL("the daemon says: %s", answer);
    CHECK_PENDING(&waiting);
    return 0;
}
