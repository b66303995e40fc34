// face: libaio
/* A write that begins at RLIMIT_FSIZE or behind it: besides -EFBIG the thread that submitted gets SIGXFSZ, however the file was
   opened and whatever the write waits for [A4] (setrlimit(2); generic_write_check_limits of fs/read_write.c). One that ends behind
   the limit is cut short, and raises none. */
#include <sys/resource.h>

#include "iocb.h"

#define BLOCK 4096
#define BLOCKS 2

static pid_t submitter;
static atomic_int here, elsewhere;

static void too_big(int number)
{
    (void)number;
    atomic_fetch_add(gettid() == submitter ? &here : &elsewhere, 1);
}

static void signals(int want)
{
    CHECK_INT(atomic_load(&elsewhere), 0);
    CHECK_INT(atomic_exchange(&here, 0), want);
}

static void writes(io_context_t context, int fd, void *out, int rw_flags)
{
    static const struct {
        int first, blocks, moved, signals;
    } cases[] = {{0, 1, 1, 0}, {1, 2, 1, 0}, {2, 1, -1, 1}, {9, 1, -1, 1}};

    for (int i = 0; i < 4; i++) {
        struct iovec vector = {out, cases[i].blocks * BLOCK};
        long long want = cases[i].moved < 0 ? -EFBIG : cases[i].moved * BLOCK;
        struct iocb iocb;

        io_prep_pwrite(&iocb, fd, out, vector.iov_len, (long long)cases[i].first * BLOCK);
        iocb.aio_rw_flags = rw_flags;
        CHECK_INT(outcome(context, &iocb), want);
        signals(cases[i].signals);
        if (cases[i].moved > 0)
            continue;
        io_prep_pwritev(&iocb, fd, &vector, 1, (long long)cases[i].first * BLOCK);
        iocb.aio_rw_flags = rw_flags;
        CHECK_INT(outcome(context, &iocb), want);
        signals(cases[i].signals);
    }
}

int main(void)
{
    static const int open_flags[] = {0, O_DSYNC, O_APPEND, O_APPEND | O_DSYNC, O_DIRECT, O_DIRECT | O_DSYNC, O_DIRECT | O_APPEND};
    struct rlimit limit = {BLOCKS * BLOCK, RLIM_INFINITY};
    struct sigaction action = {.sa_handler = too_big};
    char *out = aligned(2 * BLOCK);

    alarm(DEADLINE_SECONDS);
    submitter = gettid();
    memset(out, 'x', 2 * BLOCK);
    CHECK_INT(sigaction(SIGXFSZ, &action, NULL), 0);
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (unsigned i = 0; i < sizeof open_flags / sizeof open_flags[0]; i++)
        for (int rw_flags = 0; rw_flags <= RWF_DSYNC; rw_flags += RWF_DSYNC) {
            io_context_t context = make_context(8);
            int fd = temp_file(O_RDWR | open_flags[i]);

            writes(context, fd, out, rw_flags);
            CHECK_INT(io_destroy(context), 0);
            close(fd);
        }
    return 0;
}
