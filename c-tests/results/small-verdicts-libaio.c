// face: libaio
/* Odd requests get the kernel's verdict, in the place where the kernel gives it (from io_submit, or in the event):
   requests of no bytes on sockets, eventfds, timerfds and signalfds; flags that a file does not know; vectors that end
   past user space. And once more where the library does nothing in the calling thread (URINGAIO_INLINE=never).

   [A13][A4] fs/aio.c and the files' own read_iter and write_iter, measured on Linux 6.18. */
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "behaviour.h"
#include "iocb.h"

#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND 0x20
#endif
#ifndef RWF_ATOMIC
#define RWF_ATOMIC 0x40
#endif
#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80
#endif

static io_context_t context;
static int wrong;

enum where { AT_SUBMIT, IN_EVENT };

static void check(const char *what, struct iocb *iocb, int rw_flags, enum where where, long want)
{
    struct iocb *list[1] = { iocb };
    struct io_event event;
    enum where seen = AT_SUBMIT;
    long result;

    STEP(what);
    iocb->aio_rw_flags = rw_flags;
    result = io_submit(context, 1, list);
    if (result == 1) {
        seen = IN_EVENT;
        reap(context, 1, &event);
        result = (long)event.res;
    }
    if (seen != where || result != want) {
        SAY("%s: %ld %s, not %ld %s", what, result, seen == IN_EVENT ? "in the event" : "from io_submit", want,
            where == IN_EVENT ? "in the event" : "from io_submit");
        wrong++;
    }
}

int main(int argc, char **argv)
{
    struct iovec none = { NULL, 0 }, past[2];
    int ends[2], socket_fd, file, appends, memfd;
    unsigned char *buffer;
    struct iocb iocb;
    sigset_t signals;

    start_deadline();
    signal(SIGPIPE, SIG_IGN);
    context = make_context(8);
    buffer = new_pages(4096);
    none.iov_base = buffer;
    socket_fd = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    io_prep_pwritev(&iocb, socket_fd, &none, 1, 0);
    check("a write of no bytes to a socket that is not connected", &iocb, 0, IN_EVENT, -ENOTCONN);
    io_prep_pwrite(&iocb, socket_fd, buffer, 0, 0);
    check("a write of no bytes, no vector, to a socket that is not connected", &iocb, 0, IN_EVENT, -ENOTCONN);

    io_prep_preadv(&iocb, MUST(eventfd(1, EFD_CLOEXEC)), &none, 1, 0);
    check("a read of no bytes of an eventfd", &iocb, 0, IN_EVENT, -EINVAL);
    io_prep_preadv(&iocb, MUST(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)), &none, 1, 0);
    check("a read of no bytes of a timerfd", &iocb, 0, IN_EVENT, -EINVAL);
    sigemptyset(&signals);
    io_prep_preadv(&iocb, MUST(signalfd(-1, &signals, SFD_CLOEXEC)), &none, 1, 0);
    check("a read of no bytes of a signalfd", &iocb, 0, IN_EVENT, -EINVAL);

    file = scratch_file("file", O_RDWR, 4096, 1);
    io_prep_pwrite(&iocb, file, buffer, 0, 0);
    check("a buffered write of no bytes with RWF_NOWAIT", &iocb, RWF_NOWAIT, IN_EVENT, -EOPNOTSUPP);
    io_prep_pwrite(&iocb, file, buffer, 4096, 0);
    check("a buffered write with RWF_NOWAIT", &iocb, RWF_NOWAIT, IN_EVENT, -EOPNOTSUPP);
    appends = MUST(open(test_path("file"), O_WRONLY | O_APPEND | O_CLOEXEC));
    io_prep_pwrite(&iocb, appends, buffer, 0, 0);
    check("an appending write of no bytes with RWF_NOWAIT", &iocb, RWF_NOWAIT, IN_EVENT, -EOPNOTSUPP);
    io_prep_pwrite(&iocb, appends, buffer, 4096, 0);
    check("an appending write with RWF_NOWAIT", &iocb, RWF_NOWAIT, IN_EVENT, -EOPNOTSUPP);

    make_pipe(ends);
    CHECK_INT(write(ends[1], "x", 1), 1);
    io_prep_pread(&iocb, ends[0], buffer, 1, 0);
    check("a read of a pipe with RWF_DONTCACHE", &iocb, RWF_DONTCACHE, AT_SUBMIT, -EOPNOTSUPP);
    io_prep_pwrite(&iocb, socket_fd, buffer, 1, 0);
    check("a write to a socket with RWF_ATOMIC", &iocb, RWF_ATOMIC, AT_SUBMIT, -EOPNOTSUPP);

#ifdef __x86_64__ /* where user space ends elsewhere depends on the kernel's configuration */
    past[0] = (struct iovec){ buffer, 16 };
    past[1] = (struct iovec){ (void *)(uintptr_t)0x7ffffffff000, 8192 };
    io_prep_preadv(&iocb, file, past, 2, 0);
    check("a vector that ends past user space", &iocb, 0, AT_SUBMIT, -EFAULT);
#endif

    memfd = MUST(memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    MUST(fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW));
    io_prep_pwrite(&iocb, memfd, buffer, 16, 0);
    check("a write to a sealed memfd with RWF_NOAPPEND", &iocb, RWF_NOAPPEND, IN_EVENT, -EPERM);
    if (wrong || argc > 1)
        return wrong != 0;
    setenv("URINGAIO_INLINE", "never", 1);
    execl("/proc/self/exe", argv[0], "never", (char *)NULL);
    FAIL("/proc/self/exe: %s", strerror(errno));
}
