// face: libaio
/* The mapping behind the context does not grow: mremap answers EFAULT, and the context stays as it was [A17] (mremap(2),
   VM_DONTEXPAND in fs/aio.c, the AIO tests of gVisor). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(8);
    struct io_event event;
    struct iocb read;
    char buffer[4096];
    size_t page = page_size();
    void *place = mmap(NULL, 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(place != MAP_FAILED);
    CHECK(mremap(context, page, 2 * page, MREMAP_MAYMOVE) == MAP_FAILED);
    CHECK_INT(errno, EFAULT);
    CHECK(mremap(context, page, 2 * page, 0) == MAP_FAILED);
    CHECK_INT(errno, EFAULT);
    CHECK(mremap(context, page, 2 * page, MREMAP_MAYMOVE | MREMAP_FIXED, place) == MAP_FAILED);
    CHECK_INT(errno, EFAULT);
    CHECK(mremap(context, page - 1, page, 0) == context); /* lengths are rounded up to whole pages */

    io_prep_pread(&read, fd, buffer, sizeof buffer, 0);
    submit_one(context, &read);
    reap(context, 1, &event);
    CHECK(event.obj == &read);
    CHECK_INT((long)event.res, 4096);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
