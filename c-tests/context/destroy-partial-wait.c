// face: libaio
/* io_destroy while a thread waits in io_getevents for more events than it has taken out of the ring: it gets the count of
   those that it has [A8] (fs/aio.c, read_events: an error only if there is none). */
#include "iocb.h"
#include "direct.h"

#define HAVE 2

static int fd;
static io_context_t context;
static struct reads left;
static _Atomic pid_t tid;

static void *waits(void *submits)
{
    struct io_event events[HAVE + 2];
    struct timespec none = {0};

    if (submits)
        start_reads(context, fd, &left, HAVE);
    /* The look at the ring alone is slow where completions wait for their thread to call. */
    WAIT_UNTIL(io_getevents(context, 0, 0, events, &none) == 0 && ring_ready(context) == HAVE);
    tid = (pid_t)syscall(SYS_gettid);
    CHECK_INT(io_getevents(context, HAVE + 1, HAVE + 2, events, NULL), HAVE);
    return NULL;
}

int main(void)
{
    fd = direct_file();
    alarm(DEADLINE_SECONDS);
    for (int round = 0; round < 200; round++) {
        int submits = round % 2;
        pthread_t thread;

        context = make_context(16);
        tid = 0;
        /* By the thread that waits, or by another. */
        if (!submits)
            start_reads(context, fd, &left, HAVE);
        CHECK(pthread_create(&thread, NULL, waits, submits ? &left : NULL) == 0);
        WAIT_UNTIL(tid && thread_sleeps(tid));
        CHECK_INT(io_destroy(context), 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    return 0;
}
