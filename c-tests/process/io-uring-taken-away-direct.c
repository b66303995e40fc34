/* A seccomp filter that refuses io_uring, set by prctl for one thread or by seccomp(2) for all (SECCOMP_FILTER_FLAG_TSYNC),
   loses no O_DIRECT request: neither of the thread that sets it, nor of one that has left some in flight, nor of one that
   is busy [C5]. */
#include <stdatomic.h>

#include "refuse-io-uring.h"
#include "sleeper.h"

static int fd, way;
static atomic_int busy, refused;

static void refuse_io_uring(void)
{
    struct sock_filter filter[] = REFUSE_IO_URING(SECCOMP_RET_ERRNO | (way % 2 ? ENOSYS : EPERM));
    struct sock_fprog program = { .len = sizeof filter / sizeof filter[0], .filter = filter };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
        (way / 2 ? syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program)
                 : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0)) != 0)
        SKIP("seccomp: %s", strerror(errno));
}

static void *keep_busy(void *unused)
{
    for (int after = 0; after < 20; after += atomic_load(&refused)) {
        struct reads own = { .in = NULL };

        read_blocks(fd, 20);
        start_reads(fd, &own, 16);
        check_reads(&own, 16);
        free(own.in);
        atomic_store(&busy, 1);
    }
    return unused;
}

static void test(void)
{
    struct reads own = { .in = NULL };
    struct sleeper sleeper = { 0 };
    pthread_t worker;

    fd = direct_file();
    worker = start_thread(keep_busy, NULL);
    read_blocks(fd, 100);
    start_sleeper(&sleeper, fd, 100);
    WAIT_UNTIL(atomic_load(&busy));
    start_reads(fd, &own, 16);
    refuse_io_uring();
    atomic_store(&refused, 1);
    check_reads(&own, 16);
    check_sleeper(&sleeper);
    read_blocks(fd, 100);
    end_sleeper(&sleeper);
    join_thread(worker);
}

int main(void)
{
    for (int round = 0; round < 8; round++) {
        pid_t child = MUST(fork());

        if (child == 0) {
            way = round % 4;
            test();
            _exit(0);
        }
        int status = await_child(child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
            return 77;
        if (status != 0)
            FAIL("round %d: wait status %#x", round, status);
    }
    return 0;
}
