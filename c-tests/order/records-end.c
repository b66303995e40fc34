/* A write to a SOCK_SEQPACKET socket ends a record, as write(2) does: it passes MSG_EOR to the protocol (sock_write_iter of the
   kernel's net/socket.c), which vsock and SCTP tell the other side of. Unix sockets do not, so a filter looks: it refuses each
   sendmsg(2) that says nothing of the record's end [B7]. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "aiocb.h"

static void refuse_open_records(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MSG_EOR, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPROTO),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof filter / sizeof filter[0], filter };

    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

int main(void)
{
    int pair[2];
    char in[16];
    struct aiocb cb;

    refuse_open_records();
    MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
    cb = make_cb(pair[0], (void *)"a record", 8, 0);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_DONE(&cb, 8);
    CHECK_INT(read(pair[1], in, sizeof in), 8);
    return 0;
}
