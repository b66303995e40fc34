// face: libaio
// unsanitized: tsan -- a ring is mapped for the program and for the library, which the runtime takes for two
/* A thread that takes an event out of the ring closes the request's eventfd at once, and opens a new file, which gets the
   number. The completion counts on the eventfd, and never writes into the file [A3]. */
#include <sys/eventfd.h>

#include "iocb.h"

/* As many as a busy machine gets done in the time. */
#define ROUNDS 5000
#define ROUNDS_NS 10000000000LL

static io_context_t context;
static atomic_int round_of_reaper, is_over;
static int eventfd_number;

static void *closes(void *argument)
{
    for (int round = 0;; round++) {
        struct io_event event;
        int file;

        while (!ring_take(context, &event))
            if (atomic_load(&is_over))
                return argument;
        close(eventfd_number);
        file = temp_file(O_RDWR);
        sched_yield();
        CHECK_INT(lseek(file, 0, SEEK_END), 0);
        close(file);
        atomic_store(&round_of_reaper, round + 1);
    }
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    char *buffer = aligned(4096);
    pthread_t thread;

    alarm(DEADLINE_SECONDS);
    context = make_context(16);
    CHECK_INT(pread(fd, buffer, 4096, 0), 4096);
    CHECK(pthread_create(&thread, NULL, closes, NULL) == 0);
    int64_t until = now_ns() + ROUNDS_NS;
    for (int round = 0; round < ROUNDS && now_ns() < until; round++) {
        struct iocb iocb;

        eventfd_number = MUST(eventfd(0, EFD_CLOEXEC));
        io_prep_pread(&iocb, fd, buffer, 4096, 0);
        io_set_eventfd(&iocb, eventfd_number);
        submit_one(context, &iocb);
        /* The reaper needs a processor. */
        while (atomic_load(&round_of_reaper) == round)
            sched_yield();
    }
    atomic_store(&is_over, 1);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
