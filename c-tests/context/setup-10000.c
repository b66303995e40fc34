// face: libaio
/* Contexts are cheap: 10,000 at once, each with I/O, without a thread or a descriptor each [A11] (MySQL, DB2). */
#include "iocb.h"

#define CONTEXTS 10000

int main(void)
{
    static io_context_t contexts[CONTEXTS];
    static struct iocb iocbs[CONTEXTS];
    static char buffers[CONTEXTS][16];
    int fd = pattern_file(O_RDWR, 65536, 0), descriptors = count_entries("/proc/self/fd");
    struct io_event event;

    for (int i = 0; i < CONTEXTS; i++) {
        int ret = io_setup(1, &contexts[i]);

        if (ret == -EAGAIN)
            SKIP("the system's limit on AIO contexts (aio-max-nr) is used up");
        CHECK_INT(ret, 0);
    }
    for (int i = 0; i < CONTEXTS; i++) {
        io_prep_pread(&iocbs[i], fd, buffers[i], 16, i);
        submit_one(contexts[i], &iocbs[i]);
    }
    CHECK(count_entries("/proc/self/task") < 100);
    CHECK(count_entries("/proc/self/fd") < descriptors + 10);
    for (int i = 0; i < CONTEXTS; i++) {
        reap(contexts[i], 1, &event);
        CHECK(event.obj == &iocbs[i]);
        CHECK_INT((long)event.res, 16);
        check_pattern_at(buffers[i], 16, 0, i);
    }
    /* One may be destroyed and made again in the midst of the others. */
    for (int i = 0; i < 20; i++) {
        CHECK_INT(io_destroy(contexts[i * 7]), 0);
        contexts[i * 7] = make_context(1);
        submit_one(contexts[i * 7], &iocbs[i]);
    }
    /* The rest goes with the process: 10,000 calls of io_destroy take the kernel long. */
    return 0;
}
