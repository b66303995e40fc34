/* A limit of a file's size holds from the moment on at which the kernel has it [B4], also for a write that is made before the
   call that sets it has returned (by another thread, or here by a library between the program and the C library): it ends with
   EFBIG, and SIGXFSZ does not end the program. */
#include "aiocb.h"
#include "process.h"

enum { LIMIT = 8192, BLOCK = 512 };

extern void (*limit_was_set)(void);

static int fd;
static char bytes[BLOCK];

static void set(rlim_t soft)
{
    struct rlimit limit;

    CHECK_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = soft;
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void write_past(void)
{
    struct aiocb cb = make_cb(fd, bytes, sizeof bytes, LIMIT);

    CHECK_INT(aio_write(&cb), 0);
    CHECK_ENDS_WITH(&cb, EFBIG);
}

int main(void)
{
    fd = temp_file(O_RDWR);
    signal(SIGXFSZ, SIG_DFL);
    /* Many times: some of them within one tick of the kernel's clock. */
    for (int i = 0; i < 100; i++) {
        struct aiocb cb = make_cb(fd, bytes, sizeof bytes, LIMIT);

        limit_was_set = NULL;
        set(RLIM_INFINITY);
        CHECK_INT(aio_write(&cb), 0);
        CHECK_DONE(&cb, BLOCK);
        limit_was_set = write_past;
        set(LIMIT);
    }
    return 0;
}
