/* Buffered writes, overwriting, extending, leaving holes and appending, are in the file and have their event in the
 * ring when io_submit returns (A15, A17; libaio's harness asks with min_nr 0 right after). */
#include "libaio-test.h"

int main(void)
{
    int fd = scratch(O_RDWR, 8192), appending = reopen(fd, O_RDWR | O_APPEND);
    io_context_t context = context_of(32);
    struct timespec now = {0, 0};
    char buffer[5000], back[5000];
    off_t size = 8192;

    for (int i = 0; i < 200; i++) {
        off_t at = i % 4 == 0 ? i : i % 4 == 1 ? size : i % 4 == 2 ? size + 100000 : 0;
        struct iovec vectors[2] = {{buffer, 1000}, {buffer + 1000, 4000}};
        struct io_event event;
        struct stat status;
        struct iocb iocb;

        fill(buffer, sizeof(buffer), i);
        if (i % 8 < 4)
            io_prep_pwrite(&iocb, i % 4 == 3 ? appending : fd, buffer, sizeof(buffer), at);
        else
            io_prep_pwritev(&iocb, i % 4 == 3 ? appending : fd, vectors, 2, at);
        submit_one(context, &iocb);
        EQ(io_getevents(context, 0, 1, &event, &now), 1);
        CHECK(event.obj == &iocb);
        EQ((long)event.res, sizeof(buffer));
        if (i % 4 == 3)
            at = size;
        if (at + (off_t)sizeof(buffer) > size)
            size = at + (off_t)sizeof(buffer);
        CHECK(fstat(fd, &status) == 0);
        EQ(status.st_size, size);
        EQ(pread(fd, back, sizeof(back), at), sizeof(back));
        check_bytes(back, sizeof(back), i);
    }
    EQ(io_destroy(context), 0);
    return 0;
}
