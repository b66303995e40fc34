// face: libaio
/* A process's POSIX lock on a file survives any amount of AIO on it, io_destroy included: no descriptor of the file is
   ever closed behind the program's back [A5] (fcntl(2) on advisory locks). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 1 << 20, 0), direct = reopen(fd, O_RDWR | O_DIRECT);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *buffer = aligned(16 * 4096);

    CHECK(fcntl(fd, F_SETLK, &lock) == 0);
    for (int round = 0; round < 20; round++) {
        io_context_t context = make_context(64);
        struct iocb iocbs[32], *list[32];
        struct io_event events[32];
        pid_t pid;

        for (int i = 0; i < 32; i++) {
            list[i] = &iocbs[i];
            if (i % 4 == 3)
                io_prep_fsync(&iocbs[i], i % 8 == 3 ? fd : direct);
            else
                io_prep_pread(&iocbs[i], i % 2 ? fd : direct, buffer + i % 16 * 4096, 4096, i * 4096);
            if (i % 4 == 2)
                iocbs[i].aio_lio_opcode = IO_CMD_PWRITE;
        }
        CHECK_INT(io_submit(context, 32, list), 32);
        if (round % 2)
            reap(context, 32, events);
        CHECK_INT(io_destroy(context), 0);
        pid = fork();
        if (pid == 0) {
            struct flock theirs = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

            CHECK(fcntl(fd, F_GETLK, &theirs) == 0);
            _exit(theirs.l_type == F_WRLCK && theirs.l_pid == getppid() ? 0 : 1);
        }
        if (await_child(pid) != 0)
            FAIL("the lock is gone after round %d", round);
    }
    return 0;
}
