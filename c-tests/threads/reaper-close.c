// face: libaio
/* While another thread takes the events, the submitter closes the descriptor at once and gives its number to another file:
   the request goes on with its file [A5] (fs/aio.c takes a reference). */
#include "reaper.h"

#define ROUNDS 3000

int main(void)
{
    int fd = direct_file(), other = pattern_file(O_RDWR | O_DIRECT, BLOCK, 0);
    char *zeroes = aligned(BLOCK);
    struct page page;
    pthread_t thread;

    alarm(DEADLINE_SECONDS);
    CHECK_INT(pwrite(other, zeroes, BLOCK, 0), BLOCK);
    context = make_context(8);
    page_begins(&page);
    page_begins(&last);
    CHECK(pthread_create(&thread, NULL, reap_for_all, NULL) == 0);
    stay_on_one();
    for (int i = 0; i < ROUNDS; i++) {
        int number = dup(fd);

        CHECK(number >= 0);
        page_submitted(&page, number, i % BLOCKS);
        if (i % 2)
            CHECK_INT(dup2(other, number), number);
        close(number);
        page_watched(&page, i % BLOCKS, i % 20);
        memset(page.buffer, 0, BLOCK);
    }
    page_submitted(&last, fd, 0);
    CHECK(pthread_join(thread, NULL) == 0);
    page_awaited(&last, 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
