/* A seccomp filter that answers the three calls of io_uring with an action (SECCOMP_RET_...) and allows all else:
   struct sock_filter filter[] = REFUSE_IO_URING(action); */
#ifndef REFUSE_IO_URING_H
#define REFUSE_IO_URING_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define REFUSE_IO_URING(action)                                                                                        \
    {                                                                                                                  \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),                                         \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 2, 0),                                                 \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_enter, 1, 0),                                                 \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_register, 0, 1),                                              \
        BPF_STMT(BPF_RET | BPF_K, action),                                                                             \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),                                                                  \
    }

#endif
