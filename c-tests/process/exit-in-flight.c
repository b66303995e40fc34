/* A process with requests that never end can end: by return, exit, _exit, from another thread, and by a signal; its status
   is its own [B16] [C3]. */
#include "aiocb.h"
#include "process.h"

static void *call_exit(void *status)
{
    exit(*(int *)status);
}

int main(void)
{
    for (int way = 0; way < 6; way++) {
        pid_t child = MUST(fork());
        if (child == 0) {
            static char in[50];
            static struct aiocb cb[50];
            static int status;
            int ends[2], pair[2];

            make_pipe(ends);
            make_stream_pair(pair);
            for (int i = 0; i < 50; i++) {
                cb[i] = make_cb(i % 2 ? ends[0] : pair[0], &in[i], 1, 0);
                CHECK_INT(aio_read(&cb[i]), 0);
            }
            CHECK_PENDING(&cb[49]);
            status = 30 + way;
            switch (way) {
            case 0: return status;
            case 1: exit(status);
            case 2: _exit(status);
            case 3: start_thread(call_exit, &status); pause(); break;
            case 4: quick_exit(status);
            case 5: raise(SIGKILL);
            }
        }
        int status = await_child(child);
        if (way == 5)
            CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        else
            CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 30 + way);
    }
    return 0;
}
