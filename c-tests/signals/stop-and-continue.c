/* A process that is stopped and continued while its requests wait: they go on and end with their bytes, not with EINTR
   [C1]. */
#include "aiocb.h"
#include "process.h"

int main(void)
{
    int ends[2], ready[2];
    char byte;

    make_pipe(ends);
    make_pipe(ready);
    pid_t child = MUST(fork());
    if (child == 0) {
        char in[4];
        struct aiocb cb[4];

        for (int i = 0; i < 4; i++) {
            cb[i] = make_cb(ends[0], &in[i], 1, 0);
            CHECK_INT(aio_read(&cb[i]), 0);
        }
        for (int i = 0; i < 4; i++) {
            CHECK_INT(write(ready[1], "r", 1), 1);
            CHECK_DONE(&cb[i], 1);
            CHECK_INT(in[i], 'a' + i);
        }
        _exit(0);
    }
    for (int i = 0; i < 4; i++) {
        int status;

        read_whole(ready[0], &byte, 1);
        MUST(kill(child, SIGSTOP));
        CHECK_INT(waitpid(child, &status, WUNTRACED), child);
        CHECK(WIFSTOPPED(status));
        if (i % 2) /* the byte comes while it is stopped, or after */
            CHECK_INT(write(ends[1], &(char){ 'a' + i }, 1), 1);
        MUST(kill(child, SIGCONT));
        if (i % 2 == 0)
            CHECK_INT(write(ends[1], &(char){ 'a' + i }, 1), 1);
    }
    CHECK_CHILD(child, 0);
    return 0;
}
