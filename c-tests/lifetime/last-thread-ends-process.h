/* The body of last-thread-ends-process-posix.c and last-thread-ends-process-libaio.c, which say what it does. */
#include "one-request.h"

static atomic_int *handlers;
static int by_return, file;

static void handler(void)
{
    atomic_fetch_add(handlers, 1);
}

static void *last(void *main_thread)
{
    unsigned char *buffer = new_pages(4096);

    /* The main thread is gone first. */
    CHECK_INT(pthread_join(*(pthread_t *)main_thread, NULL), 0);
    for (int i = 0; i < 100; i++) {
        CHECK_INT(one_request(ONE_READ, file, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_WRITE, file, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_FSYNC, file, NULL, 0, 0), 0);
    }
    if (!by_return)
        pthread_exit((void *)1);
    return (void *)1;
}

static void run(void)
{
    static pthread_t self;

    self = pthread_self();
    CHECK_INT(atexit(handler), 0);
    start_thread(last, &self);
    pthread_exit((void *)1);
}

int main(void)
{
    static const int flags[] = { 0, O_APPEND, O_DIRECT };

    start_deadline();
    handlers = new_shared(4096);
    STEP("a process whose last thread has ended");
    for (int i = 0; i < 6; i++) {
        pid_t child;

        file = scratch_file("file", O_RDWR | flags[i / 2], 4096, 1);
        by_return = i % 2;
        atomic_store(handlers, 0);
        child = fork_child();
        if (child == 0)
            run();
        CHECK_INT(exit_status(child), 0);
        CHECK_INT(atomic_load(handlers), 1);
        close(file);
    }
    return 0;
}
