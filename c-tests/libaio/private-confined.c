/* A program that may not unshare(2) (containers): events of a thread that has
 * reaped its own requests and then sleeps still come into the ring in memory, for another thread that reads it there. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "prove.h"

#define N 16

static int fd, ends[2];
static io_context_t context;
static struct left left;
static atomic_int away;

static void *submitter(void *unused)
{
    char byte;

    prove(context, fd, 200, 8);
    leave(context, fd, &left, N);
    atomic_store(&away, gettid());
    EQ(read(ends[0], &byte, 1), 1);
    return unused;
}

int main(int count, char **arguments)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
    pthread_t thread;

    if (count == 1) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
            SKIP("seccomp: %s", strerror(errno));
        execl("/proc/self/exe", arguments[0], "confined", NULL);
        FAIL("execl: %s", strerror(errno));
    }
    fd = direct_file();
    CHECK(pipe(ends) == 0);
    for (int round = 0; round < 3; round++) {
        struct io_event events[N];

        context = context_of(2 * N);
        atomic_store(&away, 0);
        CHECK(pthread_create(&thread, NULL, submitter, NULL) == 0);
        WAIT_FOR(atomic_load(&away) && thread_state(atomic_load(&away)) == 'S');
        for (int i = 0; i < N; i++)
            WAIT_FOR(ring_take(context, &events[i]));
        check_left(&left, events, N);
        EQ(write(ends[1], "x", 1), 1);
        CHECK(pthread_join(thread, NULL) == 0);
        EQ(io_destroy(context), 0);
    }
    return 0;
}
