// face: libaio
/* syscall(SYS_io_pgetevents), six arguments, on a context of libaio: mask, errors, and the size of the mask [A2] [A7]. */
#include "iocb.h"

struct mask {
    const void *set;
    size_t size;
};

static _Atomic int handled;

static void handler(int number)
{
    (void)number;
    handled++;
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(8);
    struct sigaction action = {.sa_handler = handler};
    struct timespec soon = {0, 1000000};
    unsigned long none = 0;
    struct mask open = {&none, 8}, odd = {&none, 4}, null = {NULL, 8}, null_odd = {NULL, 5}, bad = {no_access(), 8};
    struct io_event event;
    struct iocb iocb;
    sigset_t blocked;
    char buffer[16];

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &blocked, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0);
    CHECK_INT(syscall(SYS_io_pgetevents, context, 1L, 1L, &event, &soon, NULL), 0);
    CHECK_INT(syscall(SYS_io_pgetevents, context, 1L, 1L, &event, &soon, &null), 0);
    CHECK_INT(syscall(SYS_io_pgetevents, context, 1L, 1L, &event, &soon, &null_odd), 0);
    CHECK_INT(syscall(SYS_io_pgetevents, context, 1L, 1L, &event, &soon, &odd), -1);
    CHECK_INT(errno, EINVAL);
    CHECK_INT(syscall(SYS_io_pgetevents, context, 1L, 1L, &event, &soon, &bad), -1);
    CHECK_INT(errno, EFAULT);
    CHECK_INT(syscall(SYS_io_pgetevents, context, 1L, 1L, &event, &soon, no_access()), -1);
    CHECK_INT(errno, EFAULT);
    CHECK_INT(handled, 0);
    CHECK_INT(syscall(SYS_io_pgetevents, context, 1L, 1L, &event, NULL, &open), -1);
    CHECK_INT(errno, EINTR);
    CHECK_INT(handled, 1);
    io_prep_pread(&iocb, fd, buffer, 16, 0);
    submit_one(context, &iocb);
    CHECK_INT(syscall(SYS_io_pgetevents, context, 1L, 1L, &event, NULL, &open), 1);
    CHECK(event.obj == &iocb);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
