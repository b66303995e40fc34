// face: libaio
/* A large io_setup either works in full or says EAGAIN, the only error that a limit may give [A10] (io_setup(2)). */
#include "iocb.h"

int main(void)
{
    static const int sizes[] = {10000, 65536, 100000, 1000000};
    int fd = pattern_file(O_RDWR, 4096, 0);
    char buffer[16];

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        io_context_t context = NULL;
        int ret = io_setup(sizes[i], &context);
        struct io_event event;
        struct iocb iocb;

        if (ret == -EAGAIN) {
            CHECK(context == NULL);
            continue;
        }
        CHECK_INT(ret, 0);
        CHECK(ring_of(context)->nr > (unsigned)sizes[i]);
        io_prep_pread(&iocb, fd, buffer, 16, 0);
        submit_one(context, &iocb);
        reap(context, 1, &event);
        CHECK_INT((long)event.res, 16);
        CHECK_INT(io_destroy(context), 0);
    }
    return 0;
}
