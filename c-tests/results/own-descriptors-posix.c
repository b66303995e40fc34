// face: posix
/* A thread that has a descriptor table of its own, by unshare(CLONE_FILES), and is the only one that uses POSIX AIO
   reads and writes its own file, although the same number is another file in the table of the other threads.

   [F7] unshare(2), CLONE_FILES; glibc's helper threads have the table of the thread that made the first request. */
#include "aiocb.h"
#include "behaviour.h"

#define BLOCK 4096

static int number;

static void *separate(void *unused)
{
    unsigned char *buffer = new_pages(BLOCK);
    struct aiocb cb;
    int own;

    (void)unused;
    MUST(unshare(CLONE_FILES));
    own = scratch_file("own", O_RDWR, BLOCK, 2);
    MUST(dup2(own, number));
    cb = make_cb(number, buffer, BLOCK, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, BLOCK);
    CHECK(is_pattern(buffer, BLOCK, 2));
    fill_pattern(buffer, BLOCK, 3);
    cb = make_cb(number, buffer, BLOCK, 0);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_DONE(&cb, BLOCK);
    cb = make_cb(number, NULL, 0, 0);
    CHECK_INT(aio_fsync(O_SYNC, &cb), 0);
    CHECK_DONE(&cb, 0);
    CHECK_INT(pread(own, buffer, BLOCK, 0), BLOCK);
    CHECK(is_pattern(buffer, BLOCK, 3));
    return NULL;
}

int main(void)
{
    unsigned char buffer[BLOCK];

    start_deadline();
    number = scratch_file("others", O_RDWR, BLOCK, 1);
    STEP("a thread with its own descriptor table");
    join_thread(start_thread(separate, NULL));
    CHECK_INT(pread(number, buffer, BLOCK, 0), BLOCK);
    CHECK(is_pattern(buffer, BLOCK, 1));
    return 0;
}
