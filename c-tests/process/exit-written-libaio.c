// face: libaio
/* A process ends right after io_submit of writes through the page cache to a file server's file, and each of them is done all the
   same: the kernel's AIO makes them in io_submit [C3]. It ends by exit, _exit or quick_exit, and has taken no event. */
#include "fuse-server.h"
#include "iocb.h"

#define BLOCK 4096
#define BLOCKS 16

static void end_by_exit(void)
{
    exit(0);
}

static void end_at_once(void)
{
    _exit(0);
}

static void end_quickly(void)
{
    quick_exit(0);
}

static void write_and_end(int fd, int number, void (*end)(void))
{
    static char out[BLOCK];
    struct iocb iocbs[BLOCKS], *list[BLOCKS];
    io_context_t context = make_context(BLOCKS);

    memset(out, number, sizeof out);
    for (int i = 0; i < BLOCKS; i++) {
        io_prep_pwrite(&iocbs[i], fd, out, BLOCK, i * BLOCK);
        list[i] = &iocbs[i];
    }
    CHECK_INT(io_submit(context, BLOCKS, list), BLOCKS);
    end();
}

int main(void)
{
    void (*const ends[])(void) = {end_by_exit, end_at_once, end_quickly};
    int number = 0;

    start_deadline();
    fuse_start(BLOCKS * BLOCK, 1);
    for (int round = 0; round < 5; round++)
        for (int way = 0; way < 3; way++) {
            int fd = fuse_open("a", O_RDWR), status;
            pid_t child = MUST(fork());

            number++;
            if (child == 0)
                write_and_end(fd, number, ends[way]);
            CHECK_INT(waitpid(child, &status, 0), child);
            CHECK_INT(status, 0);
            CHECK(is_all(fuse->bytes, BLOCKS * BLOCK, number));
            close(fd);
        }
    return 0;
}
