/* While requests are in flight, their own thread and another flip O_DIRECT and O_APPEND, close the descriptor and give its
   number to another file, and call aio_fsync and aio_cancel. Each request is done on its file as it was at the call [B12]
   (POSIX close: outstanding requests "shall complete as if the close() operation had not yet occurred" or are cancelled),
   and aio_fsync covers what was written before [B8]. */
#include <stdatomic.h>

#include "direct.h"

#define N 16

static int fd, ends[2], answers[2], second;
static char *out;
static struct aiocb cb[N];

static void write_blocks(int to, int round)
{
    fill_pattern(out, N * BLOCK, round);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(to, out + i * BLOCK, BLOCK, i * BLOCK);
        CHECK_INT(aio_write(&cb[i]), 0);
    }
}

static void finished(void)
{
    for (int i = 0; i < N; i++)
        CHECK_DONE(&cb[i], BLOCK);
}

static void change(int round)
{
    struct aiocb sync = make_cb(fd, NULL, 0, 0);
    int answer;

    switch (round % 5) {
    case 0:
        MUST(fcntl(fd, F_SETFL, 0));
        MUST(fcntl(fd, F_SETFL, O_DIRECT));
        break;
    case 1:
        MUST(fcntl(fd, F_SETFL, O_DIRECT | O_APPEND));
        MUST(fcntl(fd, F_SETFL, O_DIRECT));
        break;
    case 2:
        CHECK_INT(aio_fsync(round % 2 ? O_SYNC : O_DSYNC, &sync), 0);
        CHECK_DONE(&sync, 0);
        for (int i = 0; i < N; i++)
            CHECK_INT(aio_error(&cb[i]), 0);
        break;
    case 3:
        answer = aio_cancel(fd, round % 2 ? NULL : &cb[N - 1]);
        CHECK(answer == AIO_ALLDONE || answer == AIO_NOTCANCELED || answer == AIO_CANCELED);
        if (answer != AIO_ALLDONE) /* those that were cancelled, all of them or some: do them again */
            for (int i = 0; i < N; i++) {
                AWAIT_CB(&cb[i]);
                if (aio_error(&cb[i]) == ECANCELED)
                    CHECK_INT(aio_write(&cb[i]), 0);
            }
        break;
    default:
        break;
    }
}

static void *other(void *unused)
{
    unsigned char round;

    while (read(ends[0], &round, 1) == 1) {
        change(round);
        CHECK_INT(write(answers[1], "x", 1), 1);
    }
    return unused;
}

int main(void)
{
    char *in = aligned_alloc(4096, N * BLOCK), byte;
    pthread_t thread;

    fd = direct_file();
    second = MUST(dup(fd));
    out = aligned_alloc(4096, N * BLOCK);
    make_pipe(ends);
    make_pipe(answers);
    thread = start_thread(other, NULL);
    alarm(DEADLINE_SECONDS);
    for (int round = 0; round < 60; round++) {
        read_blocks(second, 70);
        write_blocks(fd, round);
        if (round % 5 == 4) {
            int victim = temp_file(O_RDWR | O_DIRECT);

            if (round % 2)
                MUST(dup2(victim, fd));
            else
                close(fd);
            finished();
            MUST(dup2(second, fd));
            CHECK_INT(lseek(victim, 0, SEEK_END), 0);
            close(victim);
        } else if (round % 2) {
            change(round);
        } else {
            unsigned char number = round;

            CHECK_INT(write(ends[1], &number, 1), 1);
            read_whole(answers[0], &byte, 1);
        }
        finished();
        CHECK_INT(pread(second, in, N * BLOCK, 0), N * BLOCK);
        CHECK(is_pattern(in, N * BLOCK, round));
        fill_pattern(in, N * BLOCK, 1);
        CHECK_INT(lseek(second, 0, SEEK_END), BLOCKS * BLOCK);
    }
    close(ends[1]);
    join_thread(thread);
    return 0;
}
