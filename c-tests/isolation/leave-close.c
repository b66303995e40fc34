// face: libaio
// columns: oracle preload engine threads -- the others have the lanes of these
/* A call that closes a descriptor with requests in flight, or gives its number to another file, is left in the middle again
   and again, by siglongjmp out of a signal handler, by deferred and by asynchronous cancellation, while another thread does
   I/O: close, dup2, dup3, close_range, closefrom, and the same by number. Afterwards every context can be destroyed, the
   other thread's I/O goes on, close, dup2, fcntl and munmap work, and exit and _exit end.

   [D7] The rule: POSIX lists close and dup2 among the async-signal-safe functions, so that a handler may interrupt them
   anywhere and leave; afterwards the call has happened or it has not, and nothing else of the process is touched. The others
   are one system call as well. (fclose is not among them: who leaves it may keep stdio's locks.) */
#include "departures.h"

#define HIGH 1000 /* no descriptor but the one of the round is so high */

static struct {
    io_context_t context;
    unsigned char *buffer;
    struct iocb iocbs[2], *list[2];
    struct aiocb cb;
    int file, fd, eventfd;
} state;

static void set_up(void)
{
    state.file = scratch_file("file", O_RDWR | O_DIRECT, BLOCK, 1);
    state.buffer = new_pages(3 * BLOCK);
    state.context = make_context(8);
    state.eventfd = MUST(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

static void before(void)
{
    state.fd = MUST(fcntl(state.file, F_DUPFD_CLOEXEC, HIGH));
    for (int i = 0; i < 2; i++) {
        io_prep_pread(&state.iocbs[i], state.fd, state.buffer + i * BLOCK, BLOCK, 0);
        state.list[i] = &state.iocbs[i];
    }
    io_set_eventfd(&state.iocbs[1], state.eventfd);
    state.cb = make_cb(state.file, state.buffer + 2 * BLOCK, BLOCK, 0);
    CHECK_INT(aio_read(&state.cb), 0);
    CHECK_INT(io_submit(state.context, 2, state.list), 2);
}

static void calls_close(void)
{
    close(state.fd);
}

static void calls_dup2(void)
{
    dup2(state.file, state.fd);
}

static void calls_dup3(void)
{
    dup3(state.file, state.fd, O_CLOEXEC);
}

static void calls_close_range(void)
{
    close_range(state.fd, state.fd, 0);
}

static void calls_closefrom(void)
{
    closefrom(HIGH);
}

static void calls_close_by_number(void)
{
    syscall(SYS_close, (long)state.fd);
}

static void calls_dup3_by_number(void)
{
    syscall(SYS_dup3, (long)state.file, (long)state.fd, 0L);
}

static void settle(int left)
{
    struct io_event events[2];

    (void)left;
    if (fcntl(state.fd, F_GETFD) != -1)
        MUST(close(state.fd));
    reap(state.context, 2, events);
    CHECK_INT((long)events[0].res, BLOCK);
    CHECK_INT((long)events[1].res, BLOCK);
    CHECK_DONE(&state.cb, BLOCK);
}

static void check(void)
{
    CHECK_INT(io_destroy(state.context), 0);
}

#define CLOSES(name, function)                                                                                         \
    {                                                                                                                  \
        .call = name, .set_up = set_up, .before = before, .armed = function, .settle = settle, .check = check          \
    }

int main(void)
{
    static const struct departure tests[] = {
        CLOSES("close", calls_close),
        CLOSES("dup2", calls_dup2),
        CLOSES("dup3", calls_dup3),
        CLOSES("close_range", calls_close_range),
        CLOSES("closefrom", calls_closefrom),
        CLOSES("syscall(SYS_close)", calls_close_by_number),
        CLOSES("syscall(SYS_dup3)", calls_dup3_by_number),
    };

    return run_table_of_departures(tests, sizeof tests / sizeof *tests);
}
