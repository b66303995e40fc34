// columns: preload -- how many processes get io_uring is a question to this library
/* With the usual RLIMIT_MEMLOCK of 8 MiB two hundred processes of one ordinary user get io_uring at the same time [F10]. With
   64 KiB the first ones do, and worker threads serve the others. The kernel counts the rings of all processes of a user
   against that limit. */
#include <dlfcn.h>
#include <grp.h>
#include <sys/mman.h>

#include "aiocb.h"
#include "deadline.h"
#include "process.h"

#define MOST 200
#define IO_URING 1
#define WORKERS 2
/* A user whose processes these are alone; the next number is another's. */
#define USER 61234

/* What serves each process. */
static volatile int *engines;

/* How many of so many processes of one user have io_uring at the same time; worker threads serve the others. */
static int with_io_uring(int processes, uid_t user, rlim_t limit)
{
    int (*engine)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "uringaio_engine");
    int fd = pattern_file(O_RDWR, 4096, 1), end[2], found = 0;
    pid_t children[MOST];

    CHECK(engine != NULL);
    make_pipe(end);
    for (int i = 0; i < processes; i++) {
        engines[i] = 0;
        children[i] = MUST(fork());
        if (children[i] == 0) {
            char in[100];
            struct aiocb cb = make_cb(fd, in, sizeof in, 0);

            set_limit(RLIMIT_MEMLOCK, limit);
            MUST(setgroups(0, NULL));
            MUST(setresgid(user, user, user));
            MUST(setresuid(user, user, user));
            CHECK_INT(aio_read(&cb), 0);
            CHECK_DONE(&cb, sizeof in);
            CHECK_INT(aio_fsync(O_DSYNC, &cb), 0);
            CHECK_DONE(&cb, 0);
            engines[i] = engine() + 1;
            close(end[1]);
            /* Until the parent has counted. */
            read_whole(end[0], in, 1);
            _exit(0);
        }
    }
    for (int i = 0; i < processes; i++) {
        WAIT_UNTIL(engines[i] != 0);
        CHECK(engines[i] == IO_URING + 1 || engines[i] == WORKERS + 1);
        found += engines[i] == IO_URING + 1;
    }
    MUST(write(end[1], (char[MOST]){ 0 }, processes));
    for (int i = 0; i < processes; i++)
        CHECK_CHILD(children[i], 0);
    close(end[0]);
    close(end[1]);
    return found;
}

int main(void)
{
    int found;

    engines = MUST(mmap(NULL, MOST * sizeof *engines, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    if (geteuid() != 0)
        SKIP("only root can become another user");
    CHECK_INT(with_io_uring(MOST, USER, 8 << 20), MOST);
    found = with_io_uring(20, USER + 1, 64 << 10);
    fprintf(stderr, "%d of 20 processes have io_uring with 64 KiB\n", found);
    CHECK(found >= 1);
    return 0;
}
