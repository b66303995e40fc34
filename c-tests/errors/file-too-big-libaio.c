// face: libaio
/* O_DIRECT writes past RLIMIT_FSIZE while another thread takes the events: if the kernel sends SIGXFSZ, then to the thread
   that submits, never to the one that waits [A4]. */
#include <sys/resource.h>

#include "reaper.h"

#define ROUNDS 1000

static pid_t submitter;
static atomic_int elsewhere;

static void too_big(int number)
{
    (void)number;
    if (gettid() != submitter)
        atomic_store(&elsewhere, 1);
}

int main(void)
{
    struct rlimit limit = {BLOCKS * BLOCK, BLOCKS * BLOCK};
    struct sigaction action = {.sa_handler = too_big};
    int fd = direct_file();
    struct page page;
    struct iovec vector;
    pthread_t thread;

    alarm(DEADLINE_SECONDS);
    submitter = gettid();
    CHECK(sigaction(SIGXFSZ, &action, NULL) == 0);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    context = make_context(8);
    page_begins(&page);
    page_begins(&last);
    vector.iov_base = page.buffer;
    vector.iov_len = BLOCK;
    CHECK(pthread_create(&thread, NULL, reap_for_all, NULL) == 0);
    stay_on_one();
    for (int i = 0; i < ROUNDS; i++) {
        page_submitted(&page, fd, i % BLOCKS);
        page_watched(&page, i % BLOCKS, 3 + i % 20);
        if (i % 4 == 0) {
            io_prep_pwrite(&page.iocb, fd, page.buffer, BLOCK, (long long)(BLOCKS + i) * BLOCK);
            if (i % 8 == 0)
                io_prep_pwritev(&page.iocb, fd, &vector, 1, (long long)(BLOCKS + i) * BLOCK);
            page.iocb.data = &page;
            submit_one(context, &page.iocb);
            while (sem_trywait(&page.there) != 0)
                sched_yield();
            CHECK_INT(page.result, -EFBIG);
        }
    }
    CHECK(!atomic_load(&elsewhere));
    page_submitted(&last, fd, 0);
    CHECK(pthread_join(thread, NULL) == 0);
    page_awaited(&last, 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
