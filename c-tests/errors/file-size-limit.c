/* A limit of a file's size that is set between two writes holds for the second, whichever function set it [B4]: the write
   ends with EFBIG, and SIGXFSZ does not end the program. Taken back, the next write is done. */
#include "aiocb.h"
#include "process.h"
#include <sys/syscall.h>
#include <ulimit.h>

enum { LIMIT = 8192, BLOCK = 512 };

static struct rlimit with_soft_limit(rlim_t soft)
{
    struct rlimit limit;
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = soft;
    return limit;
}

static void by_setrlimit(void)
{
    struct rlimit limit = with_soft_limit(LIMIT);
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void by_prlimit(void)
{
    struct rlimit limit = with_soft_limit(LIMIT);
    CHECK_INT(prlimit(0, RLIMIT_FSIZE, &limit, NULL), 0);
}

static void by_prlimit_of_a_thread(void)
{
    struct rlimit limit = with_soft_limit(LIMIT);
    CHECK_INT(prlimit((pid_t)syscall(SYS_gettid), RLIMIT_FSIZE, &limit, NULL), 0);
}

static void by_number(void)
{
    struct rlimit limit = with_soft_limit(LIMIT);
    CHECK_INT(syscall(SYS_prlimit64, 0, RLIMIT_FSIZE, &limit, NULL), 0);
}

static void by_older_number(void)
{
    struct rlimit limit = with_soft_limit(LIMIT);
    CHECK_INT(syscall(SYS_setrlimit, RLIMIT_FSIZE, &limit), 0);
}

static void (*const setters[])(void) = { by_setrlimit, by_prlimit, by_prlimit_of_a_thread, by_number, by_older_number };

int main(void)
{
    char bytes[BLOCK] = { 0 };
    int fd = temp_file(O_RDWR);

    signal(SIGXFSZ, SIG_DFL);
    for (size_t n = 0; n < 20 * sizeof setters / sizeof *setters; n++) {
        struct rlimit none = with_soft_limit(RLIM_INFINITY);
        CHECK_INT(setrlimit(RLIMIT_FSIZE, &none), 0);
        struct aiocb cb = make_cb(fd, bytes, sizeof bytes, LIMIT);
        CHECK_INT(aio_write(&cb), 0);
        CHECK_DONE(&cb, BLOCK);
        setters[n % (sizeof setters / sizeof *setters)]();
        CHECK_INT(aio_write(&cb), 0);
        CHECK_ENDS_WITH(&cb, EFBIG);
        cb = make_cb(fd, bytes, sizeof bytes, LIMIT - BLOCK);
        CHECK_INT(aio_write(&cb), 0);
        CHECK_DONE(&cb, BLOCK);
    }

    /* Last: its limit is the hard one as well. */
    CHECK(ulimit(UL_SETFSIZE, (long)(LIMIT / 512)) >= 0);
    struct aiocb cb = make_cb(fd, bytes, sizeof bytes, LIMIT);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_ENDS_WITH(&cb, EFBIG);
    return 0;
}
