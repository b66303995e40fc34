// face: libaio
/* A thread that has a descriptor table of its own, by unshare(CLONE_FILES) or close_range(CLOSE_RANGE_UNSHARE), reads
   and writes its own file, although the same number is another file in the table of the other threads, which do I/O on
   it.

   [F7] unshare(2), CLONE_FILES; io_submit(2): the kernel looks a descriptor up in the table of the thread that calls.
   */
#include <linux/close_range.h>

#include "behaviour.h"
#include "iocb.h"

#define BLOCK 4096
#define ROUNDS 50

static io_context_t context;
static int number, flags, way;

static long result_of(struct iocb *iocb)
{
    return outcome(context, iocb);
}

/* The thread's own file has pattern 2 and gets pattern 3; the others' has pattern 1. */
static void *separate(void *unused)
{
    unsigned char *buffer = new_pages(BLOCK);
    struct iocb iocb;
    int own;

    (void)unused;
    if (way == 0)
        MUST(unshare(CLONE_FILES));
    else if (way == 1)
        MUST(syscall(SYS_unshare, CLONE_FILES));
    else
        MUST(syscall(SYS_close_range, 1000, 1000, CLOSE_RANGE_UNSHARE));
    own = scratch_file("own", O_RDWR | flags, BLOCK, 2);
    MUST(dup2(own, number));
    for (int round = 0; round < ROUNDS; round++) {
        io_prep_pread(&iocb, number, buffer, BLOCK, 0);
        memset(buffer, 0, BLOCK);
        CHECK_INT(result_of(&iocb), BLOCK);
        CHECK(is_pattern(buffer, BLOCK, round ? 3 : 2));
        fill_pattern(buffer, BLOCK, 3);
        io_prep_pwrite(&iocb, number, buffer, BLOCK, 0);
        CHECK_INT(result_of(&iocb), BLOCK);
        CHECK_INT(pread(own, buffer, BLOCK, 0), BLOCK);
        CHECK(is_pattern(buffer, BLOCK, 3));
        io_prep_fsync(&iocb, number);
        CHECK_INT(result_of(&iocb), 0);
    }
    return NULL;
}

int main(void)
{
    start_deadline();
    for (way = 0; way < 3; way++) {
        for (int direct = 0; direct < 2; direct++) {
            unsigned char *buffer = new_pages(BLOCK);
            struct iocb iocb;

            flags = direct ? O_DIRECT : 0;
            number = scratch_file("others", O_RDWR | flags, BLOCK, 1);
            context = make_context(8);
            io_prep_pread(&iocb, number, buffer, BLOCK, 0);
            for (int round = 0; round < 200; round++)
                CHECK_INT(result_of(&iocb), BLOCK);
            STEP("a thread with its own descriptor table");
            join_thread(start_thread(separate, NULL));
            CHECK_INT(pread(number, buffer, BLOCK, 0), BLOCK);
            CHECK(is_pattern(buffer, BLOCK, 1));
            memset(buffer, 0, BLOCK);
            CHECK_INT(result_of(&iocb), BLOCK);
            CHECK(is_pattern(buffer, BLOCK, 1));
            CHECK_INT(io_destroy(context), 0);
        }
    }
    return 0;
}
