// columns: preload -- how many processes get io_uring is a question to this library
/* With the usual RLIMIT_MEMLOCK of 8 MiB two hundred processes of one ordinary user get io_uring at the same time [F10]. The
   kernel counts the rings of all processes of a user against that limit. */
#include <dlfcn.h>
#include <grp.h>
#include <sys/mman.h>

#include "aiocb.h"
#include "deadline.h"
#include "process.h"

#define PROCESSES 200
#define IO_URING 1
/* A user whose processes these are alone. */
#define USER 61234

int main(void)
{
    volatile int *engines =
        MUST(mmap(NULL, PROCESSES * sizeof *engines, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    int (*engine)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "uringaio_engine");
    int fd = pattern_file(O_RDWR, 4096, 1), end[2];
    pid_t children[PROCESSES];
    int with_io_uring = 0;

    CHECK(engine != NULL);
    if (geteuid() != 0)
        SKIP("only root can become another user");
    make_pipe(end);
    set_limit(RLIMIT_MEMLOCK, 8 << 20);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = MUST(fork());
        if (children[i] == 0) {
            char in[100];
            struct aiocb cb = make_cb(fd, in, sizeof in, 0);

            MUST(setgroups(0, NULL));
            MUST(setresgid(USER, USER, USER));
            MUST(setresuid(USER, USER, USER));
            CHECK_INT(aio_read(&cb), 0);
            CHECK_DONE(&cb, sizeof in);
            engines[i] = engine() + 1;
            close(end[1]);
            /* Until the parent has counted. */
            read_whole(end[0], in, 1);
            _exit(0);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        WAIT_UNTIL(engines[i] != 0);
        with_io_uring += engines[i] == IO_URING + 1;
    }
    MUST(write(end[1], (char[PROCESSES]){ 0 }, PROCESSES));
    for (int i = 0; i < PROCESSES; i++)
        CHECK_CHILD(children[i], 0);
    CHECK_INT(with_io_uring, PROCESSES);
    return 0;
}
