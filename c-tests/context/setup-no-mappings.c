// face: libaio
// unsanitized: tsan -- the runtime needs mappings, too
/* io_setup where the process may have no more mappings: ENOMEM, as the first AIO call of all and after others; EAGAIN would
   be a limit that goes away [A10] (io_setup(2)). When there are mappings again it works. */
#include "iocb.h"

#include <sys/mman.h>

#define MOST 200000

static void *maps[MOST];

/* Neighbours of different protection are not merged into one mapping. */
static int use_up(void)
{
    for (int i = 0; i < MOST; i++) {
        maps[i] = mmap(NULL, 4096, i % 2 ? PROT_READ : PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (maps[i] == MAP_FAILED)
            return i;
    }
    SKIP("no limit of mappings was reached");
}

static void give_back(int count)
{
    /* From the newest on: each is at the end of its neighbours, and takes no mapping to split. */
    while (count-- > 0)
        CHECK_INT(munmap(maps[count], 4096), 0);
}

static void works(int fd)
{
    io_context_t context = NULL;
    struct io_event event;
    struct iocb iocb;
    char buffer[16];

    CHECK_INT(io_setup(10000, &context), 0);
    io_prep_pread(&iocb, fd, buffer, 16, 0);
    submit_one(context, &iocb);
    reap(context, 1, &event);
    CHECK_INT((long)event.res, 16);
    CHECK_INT(io_destroy(context), 0);
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);

    for (int i = 0; i < 2; i++) {
        io_context_t context = NULL;
        int count = use_up();

        CHECK_INT(io_setup(10000, &context), -ENOMEM);
        CHECK(context == NULL);
        give_back(count);
        works(fd);
    }
    return 0;
}
