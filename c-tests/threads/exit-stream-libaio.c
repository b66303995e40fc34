// face: libaio
/* The submitting thread may end with its read of an empty pipe or socket in flight: the read goes on [A8] [B13]. The
   kernel's AIO waits for the data inside io_submit, so there the thread ends after it; both are right. */
#include "iocb.h"
#include <sys/socket.h>

static io_context_t context;
static struct iocb iocb;
static char buffer[64];
static _Atomic int tid, submitted;
static int from;

static void *submitter(void *unused)
{
    tid = gettid();
    io_prep_pread(&iocb, from, buffer, sizeof(buffer), 0);
    submit_one(context, &iocb);
    submitted = 1;
    return unused;
}

int main(void)
{
    context = make_context(8);
    for (int round = 0; round < 20; round++) {
        struct io_event event;
        pthread_t thread;
        int ends[2], joined;

        if (round % 2)
            CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
        else
            CHECK(pipe(ends) == 0);
        from = ends[0];
        tid = submitted = 0;
        memset(buffer, 0, sizeof(buffer));
        CHECK(pthread_create(&thread, NULL, submitter, NULL) == 0);
        WAIT_UNTIL(tid && (submitted || thread_sleeps(tid)));
        joined = submitted;
        if (joined)
            CHECK(pthread_join(thread, NULL) == 0);
        none_left(context);
        CHECK_INT(write(ends[1], "some data", 9), 9);
        reap(context, 1, &event);
        CHECK(event.obj == &iocb);
        CHECK_INT((long)event.res, 9);
        CHECK(memcmp(buffer, "some data", 9) == 0);
        if (!joined)
            CHECK(pthread_join(thread, NULL) == 0);
        none_left(context);
        close(ends[0]);
        close(ends[1]);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
