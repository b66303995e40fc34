/* A transfer of 1 MiB runs beside the program although the file is in the page cache [B7]: now and then it is seen in
   progress after the call has returned (POSIX 2.8.2: the call returns when the request has been queued). A small one may be
   done by then. */
#include "aiocb.h"

#define SIZE (1 << 20)
#define N 8
#define TRIES 200

/* Whether one of N such requests is in progress when the last call has returned. */
static int seen_in_progress(int (*begin)(struct aiocb *), int fd, char *bytes)
{
    struct aiocb cb[N];
    int seen = 0;

    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(fd, bytes + (size_t)i * SIZE, SIZE, (off_t)i * SIZE);
        CHECK_INT(begin(&cb[i]), 0);
    }
    for (int i = 0; i < N; i++)
        seen |= aio_error(&cb[i]) == EINPROGRESS;
    for (int i = 0; i < N; i++)
        CHECK_DONE(&cb[i], SIZE);
    return seen;
}

static void goes_on(int (*begin)(struct aiocb *), int fd, char *bytes)
{
    for (int i = 0; i < TRIES; i++)
        if (seen_in_progress(begin, fd, bytes))
            return;
    FAIL("%d times each of %d requests was over when the last had been begun", TRIES, N);
}

int main(void)
{
    int fd = temp_file(O_RDWR);
    char *bytes = malloc((size_t)N * SIZE);

    memset(bytes, 'x', (size_t)N * SIZE);
    goes_on(aio_write, fd, bytes);
    memset(bytes, 0, (size_t)N * SIZE);
    goes_on(aio_read, fd, bytes);
    CHECK(is_all(bytes, (size_t)N * SIZE, 'x'));
    return 0;
}
