/* An aio_fsync waits for writes that are under way, and the program gives its descriptor to a pipe meanwhile, or closes it: it is
   the file's fsync all the same, and ends well [B12]. (A pipe's ends with EINVAL.) */
// columns: oracle preload threads -- what waits here waits with io_uring, or with the workers
#include "aiocb.h"
#include "behaviour.h"

#define ROUNDS 100
#define WRITES 8
#define BLOCK 4096

enum { BY_DUP2, BY_CLOSE, BY_CLOSE_RANGE, BY_FCLOSE, WAYS };

static void give_away(int way, int fd, int pipe_end)
{
    switch (way) {
    case BY_DUP2:
        MUST(dup2(pipe_end, fd));
        MUST(close(fd));
        break;
    case BY_CLOSE:
        MUST(close(fd));
        break;
    case BY_CLOSE_RANGE:
        MUST(close_range(fd, fd, 0));
        break;
    default:
        CHECK_INT(fclose(fdopen(fd, "r+")), 0);
    }
}

int main(void)
{
    unsigned char *buffer = new_pages(WRITES * BLOCK);
    struct aiocb writes[WRITES], sync;
    int pipe_ends[2];

    start_deadline();
    make_pipe(pipe_ends);
    for (int round = 0; round < ROUNDS; round++) {
        int fd = scratch_file("file", O_RDWR | O_DIRECT, 0, 1);

        for (int i = 0; i < WRITES; i++) {
            writes[i] = make_cb(fd, buffer + i * BLOCK, BLOCK, i * BLOCK);
            CHECK_INT(aio_write(&writes[i]), 0);
        }
        sync = make_cb(fd, NULL, 0, 0);
        CHECK_INT(aio_fsync(O_SYNC, &sync), 0);
        give_away(round % WAYS, fd, pipe_ends[0]);
        CHECK_DONE(&sync, 0);
        for (int i = 0; i < WRITES; i++)
            CHECK_DONE(&writes[i], BLOCK);
    }
    return 0;
}
