/* The parent's requests go on while children come and go, exit, are killed and exec; each request ends once, and a child's
   copy of a request's aiocb never changes anything [C3]. */
#include "aiocb.h"
#include "process.h"

#define N 50

int main(void)
{
    int fd = temp_file(O_RDWR), ends[2];
    static char in[N], out[N];
    static struct aiocb read_cb[N], write_cb[N];

    make_pipe(ends);
    block_signal(SIGRTMIN);
    for (int i = 0; i < N; i++) {
        read_cb[i] = make_cb(ends[0], &in[i], 1, 0);
        notify_by_signal(&read_cb[i], SIGRTMIN, i);
        CHECK_INT(aio_read(&read_cb[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        out[i] = 'A' + i % 26;
        write_cb[i] = make_cb(fd, &out[i], 1, i);
        CHECK_INT(aio_write(&write_cb[i]), 0);
        pid_t child = MUST(fork());
        if (child == 0) {
            switch (i % 4) {
            case 0: exit(0);
            case 1: _exit(0);
            case 2: raise(SIGKILL); break;
            case 3: execl("/bin/true", "true", NULL); _exit(0);
            }
        }
        await_child(child);
        CHECK_PENDING(&read_cb[i]);
        CHECK_INT(write(ends[1], &out[i], 1), 1);
        CHECK_DONE(&read_cb[i], 1);
        CHECK_DONE(&write_cb[i], 1);
        CHECK_INT(take_signal(SIGRTMIN).si_value.sival_int, i);
    }
    CHECK_INT(memcmp(in, out, N), 0);
    CHECK_INT(pread(fd, in, N, 0), N);
    CHECK_INT(memcmp(in, out, N), 0);
    CHECK_INT(signal_is_pending(SIGRTMIN), 0);
    return 0;
}
