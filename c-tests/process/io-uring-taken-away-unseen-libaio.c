// face: libaio
/* A seccomp filter that the library cannot see coming takes io_uring away from a program whose requests no worker thread was needed
   for until then: io_submit takes those that come after all the same, and each ends, well or with EIO [C5]. */
#include "iocb.h"
#include "raw-seccomp.h"

#define BLOCKS 64
#define BLOCK 65536
#define AT_ONCE 8

static int file;
static char *in;

/* Reads that are not in the page cache. */
static void read_cold(io_context_t context, int first)
{
    struct iocb iocbs[AT_ONCE];
    struct io_event events[AT_ONCE];

    MUST(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED));
    for (int i = 0; i < AT_ONCE; i++) {
        io_prep_pread(&iocbs[i], file, in + (size_t)i * BLOCK, BLOCK, (long long)((first + i) % BLOCKS) * BLOCK);
        submit_one(context, &iocbs[i]);
    }
    reap(context, AT_ONCE, events);
    for (int i = 0; i < AT_ONCE; i++)
        CHECK((long)events[i].res == BLOCK || (long)events[i].res == -EIO);
}

int main(void)
{
    io_context_t context = make_context(AT_ONCE);

    file = pattern_file(O_RDWR, (size_t)BLOCKS * BLOCK, 0);
    in = aligned((size_t)AT_ONCE * BLOCK);
    MUST(fsync(file));
    for (int round = 0; round < 16; round++) {
        if (round == 4)
            take_io_uring_away();
        read_cold(context, round * AT_ONCE);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
