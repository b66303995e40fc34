/* The first thread that does AIO has a descriptor table of its own. What the others ask for afterwards is done with their
   files, not with those that have the same numbers in that table.

   [F7] unshare(2), CLONE_FILES; aio_read(3): aio_fildes is the descriptor of the thread that calls. */
#include "aiocb.h"
#include "behaviour.h"

#define BLOCK 4096

static int number;

static void transfer(int flags, unsigned pattern)
{
    unsigned char *buffer = new_pages(BLOCK);
    struct aiocb cb = make_cb(number, buffer, BLOCK, 0);

    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, BLOCK);
    CHECK(is_pattern(buffer, BLOCK, pattern));
    CHECK_INT(aio_write(&cb), 0);
    CHECK_DONE(&cb, BLOCK);
    cb = make_cb(number, NULL, 0, 0);
    CHECK_INT(aio_fsync(O_DSYNC, &cb), 0);
    CHECK_DONE(&cb, 0);
    CHECK_INT(fcntl(number, F_GETFL) & O_DIRECT, flags);
}

static void *separate(void *flags)
{
    MUST(unshare(CLONE_FILES));
    MUST(dup2(scratch_file("own", O_RDWR | *(int *)flags, BLOCK, 2), number));
    transfer(*(int *)flags, 2);
    return NULL;
}

int main(void)
{
    start_deadline();
    for (int direct = 0; direct < 2; direct++) {
        pid_t child = fork_child();
        int flags = direct ? O_DIRECT : 0, ends[2];
        unsigned char byte;

        if (child > 0) {
            CHECK_INT(exit_status(child), 0);
            continue;
        }
        STEP("the first request by a thread with its own descriptors");
        number = scratch_file("others", O_RDWR | flags, BLOCK, 1);
        join_thread(start_thread(separate, &flags));
        transfer(flags, 1);
        make_pipe(ends);
        {
            struct aiocb cb = make_cb(ends[0], &byte, 1, 0);

            CHECK_INT(aio_read(&cb), 0);
            CHECK_INT(write(ends[1], "x", 1), 1);
            CHECK_DONE(&cb, 1);
        }
        _exit(0);
    }
    return 0;
}
