// face: libaio
// columns: preload engine drop-in threads -- a setting of the library's
/* With URINGAIO_RESTART=1 io_getevents goes on after a handler with SA_RESTART, with a time limit and without one; one without
   SA_RESTART ends it with EINTR as ever. So it is on O_DIRECT files, too: the kernel's AIO carries no context then.

   [A7] The rule: signal(7) has no SA_RESTART for io_getevents. Profilers that interrupt by SIGPROF ask for it. */
#include "behaviour.h"
#include "direct.h"
#include "iocb.h"

#define ROUNDS 5

static io_context_t context;
static atomic_int handled, tid, result;
static struct timespec *limit;

static void handle(int signal)
{
    (void)signal;
    atomic_fetch_add(&handled, 1);
}

static void *wait_for_event(void *argument)
{
    struct io_event event;

    (void)argument;
    atomic_store(&tid, gettid());
    atomic_store(&result, io_getevents(context, 1, 1, &event, limit));
    return NULL;
}

/* Interrupts a thread in io_getevents ROUNDS times; it must not notice. */
static void goes_on(int writer)
{
    pthread_t thread;

    atomic_store(&tid, 0);
    atomic_store(&result, 99);
    CHECK_INT(pthread_create(&thread, NULL, wait_for_event, NULL), 0);
    WAIT_UNTIL(atomic_load(&tid) != 0);
    for (int round = 0; round < ROUNDS; round++) {
        int before = atomic_load(&handled);

        WAIT_UNTIL(thread_state(getpid(), atomic_load(&tid)) == 'S');
        CHECK_INT(pthread_kill(thread, SIGUSR1), 0);
        WAIT_UNTIL(atomic_load(&handled) > before);
    }
    CHECK_INT(write(writer, "x", 1), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(atomic_load(&result), 1);
}

static void ends(void)
{
    pthread_t thread;

    atomic_store(&tid, 0);
    atomic_store(&result, 99);
    CHECK_INT(pthread_create(&thread, NULL, wait_for_event, NULL), 0);
    WAIT_UNTIL(atomic_load(&tid) != 0);
    /* A signal that comes before the thread sleeps does nothing. */
    WAIT_UNTIL(pthread_kill(thread, SIGUSR2) == 0 && (pause_ms(1), atomic_load(&result) != 99));
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(atomic_load(&result), -EINTR);
}

int main(int argc, char **argv)
{
    struct timespec long_limit = { 1000, 0 };
    char byte, *page;
    int ends_of_pipe[2], fd;
    struct iocb iocb;

    if (!getenv("URINGAIO_RESTART")) {
        CHECK_INT(argc, 1);
        CHECK(setenv("URINGAIO_RESTART", "1", 1) == 0);
        execv("/proc/self/exe", argv);
        FAIL("exec: %s", strerror(errno));
    }
    start_deadline();
    if (syscall(449 /* futex_waitv */, NULL, 0, 0, NULL, 0) == -1 && errno == ENOSYS)
        SKIP("no futex_waitv(2) here: Linux 5.16 has it");
    set_handler(SIGUSR1, handle, SA_RESTART);
    set_handler(SIGUSR2, handle, 0);
    context = make_context(4);
    MUST(pipe(ends_of_pipe));
    /* A request that the kernel would carry. */
    fd = scratch_file("a", O_RDWR | O_DIRECT, 4096, 1);
    page = new_pages(4096);
    io_prep_pread(&iocb, fd, page, 4096, 0);
    CHECK_INT(outcome(context, &iocb), 4096);
    CHECK(!kernels_ring(context));
    for (int i = 0; i < 2; i++) {
        limit = i ? &long_limit : NULL;
        io_prep_pread(&iocb, ends_of_pipe[0], &byte, 1, 0);
        submit_one(context, &iocb);
        goes_on(ends_of_pipe[1]);
        ends();
    }
    return 0;
}
