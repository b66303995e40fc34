// face: libaio
/* The first thread that makes a context and submits has a descriptor table of its own. What the others ask for afterwards is
   done with their files, not with those that have the same numbers in that table.

   [F7] unshare(2), CLONE_FILES; io_submit(2): the kernel looks a descriptor up in the table of the thread that calls. */
#include "behaviour.h"
#include "iocb.h"

#define BLOCK 4096

static int number;

static void transfer(io_context_t context, unsigned pattern)
{
    unsigned char *buffer = new_pages(BLOCK);
    struct iocb iocb;

    MUST(posix_fadvise(number, 0, 0, POSIX_FADV_DONTNEED));
    io_prep_pread(&iocb, number, buffer, BLOCK, 0);
    CHECK_INT(outcome(context, &iocb), BLOCK);
    CHECK(is_pattern(buffer, BLOCK, pattern));
    io_prep_pwrite(&iocb, number, buffer, BLOCK, 0);
    CHECK_INT(outcome(context, &iocb), BLOCK);
    io_prep_fsync(&iocb, number);
    CHECK_INT(outcome(context, &iocb), 0);
}

static void *separate(void *shared)
{
    io_context_t context;

    MUST(unshare(CLONE_FILES));
    context = make_context(8);
    MUST(dup2(scratch_file("own", O_RDWR, BLOCK, 2), number));
    transfer(context, 2);
    *(io_context_t *)shared = context;
    return NULL;
}

int main(void)
{
    io_context_t shared, context;
    struct iocb iocb;
    struct io_event event;
    int ends[2];

    start_deadline();
    number = scratch_file("others", O_RDWR, BLOCK, 1);
    STEP("the first request by a thread with its own descriptors");
    join_thread(start_thread(separate, &shared));
    STEP("the others");
    transfer(shared, 1);
    context = make_context(8);
    transfer(context, 1);
    make_pipe(ends);
    io_prep_poll(&iocb, ends[0], POLLIN);
    submit_one(context, &iocb);
    CHECK_INT(write(ends[1], "x", 1), 1);
    reap(context, 1, &event);
    CHECK_INT((long)event.res & POLLIN, POLLIN);
    CHECK_INT(io_destroy(context), 0);
    CHECK_INT(io_destroy(shared), 0);
    return 0;
}
