/* Requests in a program whose filter ends it when it makes a system call that the filter does not know. */
#include "one-request.h"
#include "seccomp-filter.h"

/* The first number that systemd 252 (Debian 12) does not know: its sets of calls end with Linux 6.0. */
#define FIRST_UNKNOWN 452

int main(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_UNKNOWN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    int file = pattern_file(O_RDWR, 100, 1), ends[2];
    char buffer[10];

    MUST(pipe(ends));
    set_filter((struct sock_fprog){ sizeof filter / sizeof *filter, filter });
    CHECK_INT(one_request(ONE_READ, file, buffer, sizeof buffer, 0), sizeof buffer);
    CHECK_INT(one_request(ONE_WRITE, file, buffer, sizeof buffer, 200), sizeof buffer);
    CHECK_INT(one_request(ONE_FSYNC, file, NULL, 0, 0), 0);
    CHECK_INT(one_request(ONE_WRITE, ends[1], buffer, sizeof buffer, 0), sizeof buffer);
    CHECK_INT(one_request(ONE_READ, ends[0], buffer, sizeof buffer, 0), sizeof buffer);
    return 0;
}
