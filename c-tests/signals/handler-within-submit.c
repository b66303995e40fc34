/* A handler that changes flags of a file or closes a descriptor returns also if it interrupts aio_fsync at the worst
   moment: the request is queued, and the thread that will do it is asleep and has not been woken [B10] (POSIX 2.4.3: fcntl
   and close are async-signal-safe). The handler is that of SIGSYS, which a seccomp filter sends in place of the waking
   call. */
// unsanitized: tsan -- the runtime's own calls meet the filter while SIGSYS is blocked
#include <dlfcn.h>
#include <linux/futex.h>
#include <ucontext.h>

#include "aiocb.h"
#include "faults.h"
#include "process.h"

#define TIMES 40

static long (*libcs_syscall)(long, ...);
static int other, depth;
static volatile sig_atomic_t handled;

#ifdef __x86_64__
#define ARGUMENT(n) context->uc_mcontext.gregs[(int[]){ REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9 }[n]]
#define RESULT context->uc_mcontext.gregs[REG_RAX]
#else
#define ARGUMENT(n) context->uc_mcontext.regs[n]
#define RESULT context->uc_mcontext.regs[0]
#endif

static void handler(int signal, siginfo_t *info, void *interrupted)
{
    ucontext_t *context = interrupted;
    int before = errno;
    long result;

    (void)signal;
    /* What it does itself may need the same calls. */
    if (depth++ == 0) {
        if (handled++ % 2)
            close(dup(other));
        else
            fcntl(other, F_SETFL, handled % 4 == 1 ? O_APPEND : 0);
    }
    depth--;
    result = libcs_syscall(info->si_syscall, ARGUMENT(0), ARGUMENT(1), ARGUMENT(2), ARGUMENT(3), ARGUMENT(4), ARGUMENT(5));
    RESULT = result == -1 ? -errno : result;
    errno = before;
}

static void sync_file(int fd)
{
    struct aiocb cb = make_cb(fd, NULL, 0, 0);

    CHECK_INT(aio_fsync(O_SYNC, &cb), 0);
    CHECK_DONE(&cb, 0);
}

int main(void)
{
    static const struct fault wake = { .name = "futex", .number = SYS_futex, .argument = 2, .value = FUTEX_WAKE_PRIVATE };
    static const struct fault bell = { .name = "tgkill", .number = SYS_tgkill };
    struct text text = library_text();
    int fd = temp_file(O_RDWR);

    libcs_syscall = (long (*)(long, ...))dlsym(dlopen("libc.so.6", RTLD_NOW), "syscall");
    other = temp_file(O_RDWR);
    on_signal(SIGSYS, handler, SA_NODEFER);
    alarm(DEADLINE_SECONDS);
    /* Threads that there are by now have no filter, and their calls are left alone. */
    sync_file(fd);
    if (text.start == 0)
        return 0;
    if (set_filter(text, &wake, SECCOMP_RET_TRAP, 0) == -1 || set_filter(text, &bell, SECCOMP_RET_TRAP, 0) == -1)
        SKIP("seccomp: %s", strerror(errno));
    while (handled < TIMES) {
        sync_file(fd);
        /* Until the thread that was woken sleeps again. */
        pause_ms(1);
    }
    return 0;
}
