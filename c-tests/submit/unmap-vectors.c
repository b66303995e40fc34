// face: libaio
/* The buffers of a vector are unmapped as soon as io_submit has returned, and something else is mapped there: the reads are whole,
   the writes have what was there, and nothing gets into the new mapping; O_DIRECT, and buffered where it is not in the page
   cache [A5] [A15]. */
#include "iocb.h"

#define SIZE 65536
#define PARTS 4

static char *map_at(void *address, int fixed)
{
    char *memory = mmap(address, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | fixed, -1, 0);

    CHECK(memory != MAP_FAILED);
    return memory;
}

int main(void)
{
    int fd = pattern_file(O_RDWR, SIZE, 0), direct = reopen(fd, O_RDWR | O_DIRECT);
    io_context_t buffered = make_context(8), contexts[2] = { make_context(8), buffered };
    char *back = aligned(SIZE);

    for (int round = 0; round < 120; round++) {
        int is_buffered = round % 2, writes = round / 2 % 2;
        char *memory = map_at(NULL, 0), *other;
        struct iovec parts[PARTS];
        struct iocb iocb;
        struct io_event event;

        if (is_buffered) {
            MUST(fsync(fd));
            MUST(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
        }
        if (writes)
            fill_pattern_at(memory, SIZE, 0, 0);
        for (int i = 0; i < PARTS; i++)
            parts[i] = (struct iovec){ memory + i * (SIZE / PARTS), SIZE / PARTS };
        io_prep_preadv(&iocb, is_buffered ? fd : direct, parts, PARTS, 0);
        if (writes)
            iocb.aio_lio_opcode = IO_CMD_PWRITEV;
        submit_one(contexts[is_buffered], &iocb);
        memset(parts, 0, sizeof parts);
        MUST(munmap(memory, SIZE));
        other = map_at(memory, MAP_FIXED);
        reap(contexts[is_buffered], 1, &event);
        CHECK_INT((long)event.res, SIZE);
        CHECK(is_all(other, SIZE, 0));
        MUST(munmap(other, SIZE));
        CHECK_INT(pread(direct, back, SIZE, 0), SIZE);
        check_pattern_at(back, SIZE, 0, 0);
    }
    for (int i = 0; i < 2; i++)
        CHECK_INT(io_destroy(contexts[i]), 0);
    return 0;
}
