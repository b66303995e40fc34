// face: libaio
/* A process ends right after io_submit of a write, and the write is done all the same [C3] (fs/aio.c, exit_aio waits for
   it): in a process without a thread that takes events, and in one with such a thread. */
#include "reaper.h"

#define TIMES 20
#define ROUNDS 120

static void write_and_exit(int fd, int reaps, int number)
{
    struct page page;
    pthread_t thread;

    context = make_context(8);
    page_begins(&page);
    if (reaps) {
        CHECK(pthread_create(&thread, NULL, reap_for_all, NULL) == 0);
        for (int i = 0; i < ROUNDS; i++) {
            page_submitted(&page, fd, i % BLOCKS);
            page_awaited(&page, i % BLOCKS);
        }
    }
    memset(page.buffer, number, BLOCK);
    io_prep_pwrite(&page.iocb, fd, page.buffer, BLOCK, BLOCKS * BLOCK);
    page.iocb.data = &page;
    submit_one(context, &page.iocb);
    exit(0);
}

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, (BLOCKS + 1) * BLOCK, 0);
    char *buffer = aligned(BLOCK);

    alarm(DEADLINE_SECONDS);
    for (int i = 1; i <= 2 * TIMES; i++) {
        int status;
        pid_t child = fork();

        CHECK(child >= 0);
        if (child == 0)
            write_and_exit(fd, i > TIMES, i);
        CHECK_INT(waitpid(child, &status, 0), child);
        CHECK_INT(status, 0);
        CHECK_INT(pread(fd, buffer, BLOCK, BLOCKS * BLOCK), BLOCK);
        CHECK(buffer[0] == i && buffer[BLOCK - 1] == i);
    }
    return 0;
}
