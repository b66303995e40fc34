// face: libaio
/* A thread with a descriptor table of its own polls a pipe, with an eventfd, both in that table, and the others have other files
   behind the numbers: it learns of its own pipe, and nothing is written into the others' file.

   [F7] unshare(2), CLONE_FILES; io_submit(2): the kernel looks a descriptor up in the table of the thread that calls. */
#include "behaviour.h"
#include "iocb.h"

#define BLOCK 4096
#define NUMBER 100
#define COUNTER 101

static void *separate(void *unused)
{
    io_context_t context = make_context(8);
    struct iocb iocb;
    struct io_event event;
    uint64_t count;
    int ends[2];

    (void)unused;
    MUST(unshare(CLONE_FILES));
    make_pipe(ends);
    MUST(dup2(ends[0], NUMBER));
    MUST(dup2(eventfd(0, 0), COUNTER));
    io_prep_poll(&iocb, NUMBER, POLLIN);
    io_set_eventfd(&iocb, COUNTER);
    submit_one(context, &iocb);
    none_left(context);
    CHECK_INT(write(ends[1], "x", 1), 1);
    reap(context, 1, &event);
    CHECK_INT((long)event.res & POLLIN, POLLIN);
    CHECK_INT(read(COUNTER, &count, sizeof count), (long)sizeof count);
    CHECK_INT(count, 1);
    CHECK_INT(io_destroy(context), 0);

    /* One that it makes now. */
    context = make_context(8);
    io_prep_poll(&iocb, ends[1], POLLIN | POLLERR);
    submit_one(context, &iocb);
    close(NUMBER);
    close(ends[0]);
    reap(context, 1, &event);
    CHECK_INT((long)event.res, POLLERR);
    CHECK_INT(io_destroy(context), 0);
    return NULL;
}

int main(void)
{
    char byte = 0;
    int ends[2], file;

    start_deadline();
    file = scratch_file("others", O_RDWR, BLOCK, 1);
    make_pipe(ends);
    MUST(dup2(file, NUMBER));
    MUST(dup2(ends[1], COUNTER));
    STEP("a thread with its own descriptor table");
    join_thread(start_thread(separate, NULL));
    CHECK_INT(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    CHECK_FAILS(read(ends[0], &byte, 1), EAGAIN);
    return 0;
}
