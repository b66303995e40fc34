// face: libaio
/* While another thread takes the events, the submitter unmaps the buffers at once, and something else may be mapped there:
   O_DIRECT holds the pages when io_submit returns [A5] [F6]. Some of the writes are beyond the blocks that the file has,
   which the kernel may put off. */
#include "reaper.h"

#define SETS 30
#define ROUNDS 120

static int fd;
static char *back;

/* The write of a block from, or the read of one into, memory that is unmapped as soon as it is submitted. */
static void use_and_unmap(struct page *page, int writes, long long block)
{
    char *buffer = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    CHECK(buffer != MAP_FAILED);
    if (writes) {
        fill_pattern_at(buffer, BLOCK, 0, block * BLOCK);
        io_prep_pwrite(&page->iocb, fd, buffer, BLOCK, block * BLOCK);
    } else {
        io_prep_pread(&page->iocb, fd, buffer, BLOCK, block * BLOCK);
    }
    page->iocb.data = page;
    submit_one(context, &page->iocb);
    CHECK(munmap(buffer, BLOCK) == 0);
    CHECK(mmap(buffer, BLOCK, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == buffer);
    while (sem_trywait(&page->there) != 0)
        sched_yield();
    CHECK_INT(page->result, BLOCK);
    if (writes) {
        CHECK_INT(pread(fd, back, BLOCK, block * BLOCK), BLOCK);
        check_pattern_at(back, BLOCK, 0, block * BLOCK);
    }
    CHECK(munmap(buffer, BLOCK) == 0);
}

int main(void)
{
    struct page page;
    pthread_t thread;

    alarm(DEADLINE_SECONDS);
    fd = direct_file();
    back = aligned(BLOCK);
    CHECK(ftruncate(fd, (off_t)(BLOCKS + SETS * ROUNDS) * BLOCK) == 0);
    page_begins(&page);
    page_begins(&last);
    for (int set = 0; set < SETS; set++) {
        cpu_set_t all;

        context = make_context(8);
        CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
        CHECK(pthread_create(&thread, NULL, reap_for_all, NULL) == 0);
        stay_on_one();
        for (int i = 0; i < ROUNDS; i++) {
            use_and_unmap(&page, i % 4 == 3, i % 8 == 7 ? BLOCKS + set * ROUNDS + i : i % BLOCKS);
            for (int64_t end = now_ns() + i % 20 * 1000LL; now_ns() < end;)
                ;
        }
        CHECK(sched_setaffinity(0, sizeof(all), &all) == 0);
        page_submitted(&last, fd, 0);
        CHECK(pthread_join(thread, NULL) == 0);
        page_awaited(&last, 0);
        CHECK_INT(io_destroy(context), 0);
    }
    return 0;
}
