// face: libaio
/* sigtimedwait and sigwaitinfo do not see EINTR while the thread's own I/O completes [C1]. */
#include "no-eintr.h"

static sigset_t awaited;
static pthread_t sleeper;
static int way;

static int sleep_once(void)
{
    struct timespec patience = {DEADLINE_SECONDS, 0};
    siginfo_t info;
    int ret = way++ % 2 ? sigwaitinfo(&awaited, &info) : sigtimedwait(&awaited, &info, &patience);

    return ret == SIGUSR1 ? 1 : -1;
}

static void end_sleep(void)
{
    CHECK(pthread_kill(sleeper, SIGUSR1) == 0);
}

int main(void)
{
    sleeper = pthread_self();
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &awaited, NULL) == 0);
    eintr_rounds(sleep_once, end_sleep);
    return 0;
}
