/* A program that is not linked with aio_waitcomplete, and finds it by dlsym: from the first call on ends are told, and those
   of the requests that are outstanding then [B18]. */
// columns: preload threads without -- the C library has no such function
#include "aiocb.h"

#include <dlfcn.h>

#define N 20

int main(void)
{
    ssize_t (*wait_complete)(struct aiocb **, struct timespec *) =
        (ssize_t (*)(struct aiocb **, struct timespec *))dlsym(RTLD_DEFAULT, "aio_waitcomplete");
    int fd = pattern_file(O_RDWR, 4096, 0), ends[N][2];
    struct aiocb outstanding[N], ended, *got;
    char bytes[N], in[10];

    CHECK(wait_complete != NULL);
    ended = make_cb(fd, in, 10, 0);
    CHECK_INT(aio_read(&ended), 0);
    CHECK_DONE(&ended, 10);
    for (int i = 0; i < N; i++) {
        make_pipe(ends[i]);
        outstanding[i] = make_cb(ends[i][0], &bytes[i], 1, 0);
        CHECK_INT(aio_read(&outstanding[i]), 0);
    }
    CHECK_FAILS(wait_complete(&got, &(struct timespec){ 0, 0 }), EAGAIN);
    for (int i = N - 1; i >= 0; i--) {
        CHECK_INT(write(ends[i][1], "x", 1), 1);
        CHECK_INT(wait_complete(&got, &(struct timespec){ DEADLINE_SECONDS, 0 }), 1);
        CHECK(got == &outstanding[i]);
    }
    CHECK_INT(aio_read(&ended), 0);
    CHECK_INT(wait_complete(&got, NULL), 10);
    CHECK(got == &ended);
    CHECK_FAILS(wait_complete(&got, &(struct timespec){ 0, 0 }), EAGAIN);
    return 0;
}
