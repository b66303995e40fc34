// face: libaio
/* O_APPEND as it stood at io_submit is what counts: a write submitted with it goes to the end, one without it to its
   offset, whatever fcntl says straight after [A5]. */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 8192, 0), flags = fcntl(fd, F_GETFL);
    io_context_t context = make_context(4);
    char *buffer = aligned(4096), *back = aligned(4096);
    off_t size = 8192;

    for (int round = 0; round < 40; round++) {
        int append = round % 2;
        off_t want = append ? size : 4096;
        struct io_event event;
        struct stat status;
        struct iocb iocb;

        CHECK(fcntl(fd, F_SETFL, append ? flags | O_APPEND : flags) == 0);
        fill_pattern_at(buffer, 4096, 0, round);
        io_prep_pwrite(&iocb, fd, buffer, 4096, 4096);
        submit_one(context, &iocb);
        CHECK(fcntl(fd, F_SETFL, append ? flags : flags | O_APPEND) == 0);
        reap(context, 1, &event);
        CHECK_INT((long)event.res, 4096);
        size += append ? 4096 : 0;
        CHECK(fstat(fd, &status) == 0);
        CHECK_INT(status.st_size, size);
        CHECK_INT(pread(fd, back, 4096, want), 4096);
        check_pattern_at(back, 4096, 0, round);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
