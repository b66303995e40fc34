/* Once aio_error reports the end of a request, or its notification has come, the aiocb belongs to the program again: it may
   be unmapped [B2]. Ceph's RGW frees it in the callback and never calls aio_return. */
// oracle-deadline: 20
#include "aiocb.h"
#include "process.h"

#include <sys/mman.h>

static sem_t freed;

static struct aiocb *new_page(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(page != MAP_FAILED);
    return page;
}

static void callback(union sigval value)
{
    CHECK_INT(aio_error(value.sival_ptr), 0);
    munmap(value.sival_ptr, 4096);
    sem_post(&freed);
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 1), ends[2];
    char byte;
    static char read_back[300];

    sem_init(&freed, 0, 0);
    block_signal(SIGRTMIN);
    make_pipe(ends);
    for (int i = 0; i < 300; i++) {
        /* Polled, without notification. */
        struct aiocb *cb = new_page();
        *cb = make_cb(fd, &byte, 1, i);
        CHECK_INT(aio_read(cb), 0);
        while (aio_error(cb) == EINPROGRESS)
            ;
        munmap(cb, 4096);
    }
    for (int i = 0; i < 300; i++) {
        /* When the signal has come. Before there are callbacks: their threads do not block signals. */
        struct aiocb *cb = new_page();
        *cb = make_cb(fd, &byte, 1, i);
        notify_by_signal(cb, SIGRTMIN, i);
        CHECK_INT(aio_read(cb), 0);
        CHECK_INT(take_signal(SIGRTMIN).si_value.sival_int, i);
        CHECK_INT(aio_error(cb), 0);
        munmap(cb, 4096);
    }
    for (int i = 0; i < 300; i++) {
        /* In the callback; a file that is read at once, then a pipe that has to wait. */
        struct aiocb *cb = new_page();
        *cb = make_cb(i % 2 ? fd : ends[0], &read_back[i], 1, i);
        notify_by_thread(cb, callback, cb);
        CHECK_INT(aio_read(cb), 0);
        if (i % 2 == 0)
            CHECK_INT(write(ends[1], "p", 1), 1);
    }
    for (int i = 0; i < 300; i++)
        AWAIT(&freed);
    for (int i = 0; i < 300; i++)
        CHECK_INT((unsigned char)read_back[i], i % 2 ? pattern_byte(1, i) : 'p');
    return 0;
}
