// face: libaio
// columns: oracle preload engine threads -- the others have the lanes of these
// sleeps: its rounds wait for signals, threads and ends of processes
/* A call by which a thread gets descriptors or rights of its own, or of which something slow may come, is left in the middle
   again and again, by siglongjmp out of a signal handler, by deferred and by asynchronous cancellation, while another thread
   does I/O: unshare, setfsuid, setfsgid, capset, a raw setresuid; ioctl and fanotify_init. The thread's requests are done, in
   its own table. Afterwards every context can be destroyed, the other thread's I/O goes on, close, dup2, fcntl and munmap
   work, and exit and _exit end.

   [D7] [F7] */
#include <linux/capability.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/fanotify.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>

#include "departures.h"

#define NOBODY 65534

static struct {
    io_context_t context;
    unsigned char *buffer;
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct rights[2];
    int fd, ends[2];
} state;

static void set_up(void)
{
    state.fd = scratch_file("file", O_RDWR | O_DIRECT, BLOCK, 1);
    state.buffer = new_pages(2 * BLOCK);
    state.context = make_context(8);
    state.header.version = _LINUX_CAPABILITY_VERSION_3;
    MUST(syscall(SYS_capget, &state.header, state.rights));
    make_pipe(state.ends);
}

static void before(void)
{
}

static void calls_unshare(void)
{
    unshare(CLONE_FILES);
}

static void calls_unshare_by_number(void)
{
    syscall(SYS_unshare, (long)CLONE_FILES);
}

static void calls_setfsuid(void)
{
    setfsuid(NOBODY);
}

static void calls_setfsgid(void)
{
    setfsgid(NOBODY);
}

int capset(void *header, const void *data);

static void calls_capset(void)
{
    capset(&state.header, state.rights);
}

static void calls_setresuid_by_number(void)
{
    syscall(SYS_setresuid, -1L, -1L, -1L);
}

/* A pipe cannot be frozen. */
static void calls_ioctl(void)
{
    ioctl(state.ends[0], FIFREEZE, 0);
}

/* The last flag does not exist. */
static void calls_fanotify_init(void)
{
    fanotify_init(FAN_CLASS_CONTENT | 0x80000000, 0);
}

static void settle(int left)
{
    struct iocb iocbs[2], *list[2] = { &iocbs[0], &iocbs[1] };
    struct io_event events[2];
    struct aiocb cb;

    (void)left;
    setfsuid(geteuid());
    setfsgid(getegid());
    memset(state.buffer, 0, 2 * BLOCK);
    io_prep_pread(&iocbs[0], state.fd, state.buffer, BLOCK, 0);
    io_prep_poll(&iocbs[1], state.ends[1], POLLOUT);
    CHECK_INT(io_submit(state.context, 2, list), 2);
    cb = make_cb(state.fd, state.buffer + BLOCK, BLOCK, 0);
    CHECK_INT(aio_read(&cb), 0);
    reap(state.context, 2, events);
    CHECK(is_pattern(state.buffer, BLOCK, 1));
    CHECK_DONE(&cb, BLOCK);
    CHECK(is_pattern(state.buffer + BLOCK, BLOCK, 1));
}

static void check(void)
{
    CHECK_INT(io_destroy(state.context), 0);
}

#define SEPARATES(name, function)                                                                                      \
    {                                                                                                                  \
        .call = name, .set_up = set_up, .before = before, .armed = function, .settle = settle, .check = check,         \
        .slow = 2                                                                                                      \
    }

int main(void)
{
    static const struct departure tests[] = {
        SEPARATES("unshare", calls_unshare),
        SEPARATES("syscall(SYS_unshare)", calls_unshare_by_number),
        SEPARATES("setfsuid", calls_setfsuid),
        SEPARATES("setfsgid", calls_setfsgid),
        SEPARATES("capset", calls_capset),
        SEPARATES("syscall(SYS_setresuid)", calls_setresuid_by_number),
        SEPARATES("ioctl(FIFREEZE)", calls_ioctl),
        SEPARATES("fanotify_init", calls_fanotify_init),
    };

    return run_table_of_departures(tests, sizeof tests / sizeof *tests);
}
