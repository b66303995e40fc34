// face: libaio
/* What a thread with a descriptor table of its own does with a number says nothing about that number in the table of the
   others: there it is closed, or opened for the other direction [F7] (io_submit(2): the kernel looks a descriptor up in the
   table of the thread that calls). */
#include "behaviour.h"
#include "iocb.h"

static io_context_t context;
static int numbers[2];

static long long transfer(int fd, int writes)
{
    char byte = 'x';
    struct iocb iocb;

    if (writes)
        io_prep_pwrite(&iocb, fd, &byte, 1, 0);
    else
        io_prep_pread(&iocb, fd, &byte, 1, 0);
    return outcome(context, &iocb);
}

static void *separate(void *unused)
{
    (void)unused;
    MUST(unshare(CLONE_FILES));
    /* Read-only here, write-only there; closed here, open there. */
    MUST(dup2(open("/proc/self/exe", O_RDONLY), numbers[0]));
    CHECK_INT(close(numbers[1]), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(transfer(numbers[0], 0), 1);
        CHECK_INT(transfer(numbers[0], 1), -EBADF);
        CHECK_INT(transfer(numbers[1], 1), -EBADF);
    }
    return NULL;
}

int main(void)
{
    start_deadline();
    context = make_context(8);
    for (int i = 0; i < 2; i++)
        numbers[i] = scratch_file("file", O_WRONLY, 16, 1);
    CHECK_INT(transfer(numbers[0], 1), 1);
    STEP("a thread with its own descriptor table");
    join_thread(start_thread(separate, NULL));
    for (int i = 0; i < 2; i++) {
        CHECK_INT(transfer(numbers[i], 1), 1);
        CHECK_INT(transfer(numbers[i], 0), -EBADF);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
