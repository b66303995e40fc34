/* A program under a storm of handled signals: no request ends with EINTR, none is short, and no notification is lost [C1]. */
#include "aiocb.h"
#include "process.h"

#include <sys/time.h>

#define N 1500

static volatile int handled;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    handled++;
}

int main(void)
{
    int fd = pattern_file(O_RDWR, N, 1), ends[2];
    struct itimerval storm = { { 0, 500 }, { 0, 500 } }, calm = { { 0, 0 }, { 0, 0 } };

    make_pipe(ends);
    on_signal(SIGALRM, handler, 0);
    MUST(setitimer(ITIMER_REAL, &storm, NULL));
    for (int i = 0; i < N || handled < 200; i++) {
        char in[2] = { 0 };
        struct aiocb file_cb = make_cb(fd, &in[0], 1, i % N), pipe_cb = make_cb(ends[0], &in[1], 1, 0);
        struct aiocb write_cb = make_cb(ends[1], "w", 1, 0);

        CHECK_INT(aio_read(&pipe_cb), 0);
        CHECK_INT(aio_read(&file_cb), 0);
        CHECK_INT(aio_write(&write_cb), 0);
        CHECK_DONE(&file_cb, 1);
        CHECK_DONE(&write_cb, 1);
        CHECK_DONE(&pipe_cb, 1);
        CHECK_INT((unsigned char)in[0], pattern_byte(1, i % N));
        CHECK_INT(in[1], 'w');
    }
    MUST(setitimer(ITIMER_REAL, &calm, NULL));
    return 0;
}
