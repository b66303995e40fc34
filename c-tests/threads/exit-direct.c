// face: libaio
/* Threads end with O_DIRECT requests in flight, by return, by pthread_exit and by cancellation: others take the events [A8]
   (io_setup(2) makes a context for the process), and nothing is left of the threads, no mapping and no descriptor, however
   many there were [C2]. */

#include "iocb.h"
#include "direct.h"

#define N 8
#define THREADS 120

static int fd;
static io_context_t contexts[2];
static struct reads left;

static void *ends(void *argument)
{
    long how = (long)argument;

    /* A context of everybody's, and one of its own. */
    io_context_t own = make_context(64);

    read_blocks(own, fd, 80, 4);
    CHECK_INT(io_destroy(own), 0);
    read_blocks(contexts[how % 2], fd, 80, 4);
    start_reads(contexts[how % 2], fd, &left, N);
    if (how % 3 == 1)
        pthread_exit(NULL);
    if (how % 3 == 2) {
        pthread_cancel(pthread_self());
        pthread_testcancel();
    }
    return NULL;
}

static int lines_of(const char *path)
{
    FILE *file = fopen(path, "re");
    int count = 0, byte;

    CHECK(file != NULL);
    while ((byte = fgetc(file)) != EOF)
        count += byte == '\n';
    fclose(file);
    return count;
}

int main(void)
{
    int maps = 0, descriptors = 0;

    fd = direct_file();
    for (long i = 0; i < THREADS; i++) {
        struct io_event events[N];
        pthread_t thread;

        /* A context that one thread alone has used so far, every other time. */
        for (int j = 0; j < 2 && i % 4 == 0; j++) {
            if (contexts[j])
                CHECK_INT(io_destroy(contexts[j]), 0);
            contexts[j] = make_context(64);
        }
        CHECK(pthread_create(&thread, NULL, ends, (void *)i) == 0);
        if (i % 5)
            CHECK(pthread_join(thread, NULL) == 0);
        else
            WAIT_UNTIL(ring_ready(contexts[i % 2]) == N && pthread_tryjoin_np(thread, NULL) == 0);
        reap(contexts[i % 2], N, events);
        check_reads(&left, events, N);
        none_left(contexts[i % 2]);
        if (i == THREADS / 4) {
            maps = lines_of("/proc/self/maps");
            descriptors = count_entries("/proc/self/fd");
        }
    }
    CHECK_INT(count_entries("/proc/self/fd"), descriptors);
    CHECK(lines_of("/proc/self/maps") < maps + 20);
    return 0;
}
