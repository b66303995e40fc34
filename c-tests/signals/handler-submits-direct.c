// face: libaio
/* A signal handler submits an O_DIRECT read in a context while the thread is inside io_submit of a long buffered write in the
   same context. Both events come [A6] [A15]. */
#include <sys/time.h>

#include "iocb.h"
#include "direct.h"

#define LONG (256L << 20)

static io_context_t context;
static int direct;
static char *block;
static volatile sig_atomic_t submitted;

static void submits(int signal)
{
    static struct iocb iocb;
    struct iocb *list = &iocb;

    (void)signal;
    if (submitted)
        return;
    io_prep_pread(&iocb, direct, block, BLOCK, 0);
    submitted = io_submit(context, 1, &list);
}

int main(void)
{
    struct sigaction action = { .sa_handler = submits };
    struct itimerval soon = { { 0, 0 }, { 0, 10000 } };
    struct io_event events[2];
    struct iocb iocb;
    int written = temp_file(O_RDWR);
    char *buffer = MUST(mmap(NULL, LONG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

    direct = direct_file();
    block = aligned(BLOCK);
    context = make_context(16);
    io_prep_pwrite(&iocb, written, buffer, LONG, 0);
    MUST(sigaction(SIGALRM, &action, NULL));
    MUST(setitimer(ITIMER_REAL, &soon, NULL));
    submit_one(context, &iocb);
    WAIT_UNTIL(submitted);
    CHECK_INT(submitted, 1);
    reap(context, 2, events);
    for (int i = 0; i < 2; i++)
        CHECK_INT((long)events[i].res, events[i].obj == &iocb ? LONG : BLOCK);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
