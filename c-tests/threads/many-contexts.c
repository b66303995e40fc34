// face: libaio
/* A hundred threads at once, each with a context of its own and some requests that it leaves to the main thread, with few
   descriptors and no locked memory allowed, as for an unprivileged user [A11] [F10]. */
#include <sys/resource.h>

#include "iocb.h"
#include "direct.h"

#define THREADS 100
#define N 4

static int fd;
static pthread_barrier_t barrier;
static struct reads left[THREADS];
static io_context_t contexts[THREADS];

static void *busy(void *argument)
{
    long number = (long)argument;

    pthread_barrier_wait(&barrier);
    read_blocks(contexts[number], fd, 80, N);
    start_reads(contexts[number], fd, &left[number], N);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return NULL;
}

int main(void)
{
    struct rlimit none = {0, 0}, few;
    pthread_t threads[THREADS];
    struct io_event events[N];

    fd = direct_file();
    CHECK(setrlimit(RLIMIT_MEMLOCK, &none) == 0);
    if (getuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
        SKIP("cannot become another user");
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (long i = 0; i < THREADS; i++) {
        contexts[i] = make_context(64);
        CHECK(pthread_create(&threads[i], NULL, busy, (void *)i) == 0);
    }
    few.rlim_cur = few.rlim_max = (rlim_t)fd + 1;
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++) {
        reap(contexts[i], N, events);
        check_reads(&left[i], events, N);
        CHECK_INT(io_destroy(contexts[i]), 0);
    }
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    return 0;
}
