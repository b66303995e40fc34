/* What an ended process leaves behind: a child takes locks, has requests in flight and ends; once it has been waited
   for, its locks are free and its pipes broken. The body of the programs in lifetime/ about death, which say what is in
   flight. */
#ifndef DEATHS_H
#define DEATHS_H

#include <sys/file.h>

#include "behaviour.h"

#define ROUNDS 40

enum death { BY_SIGKILL, BY_EXIT, BY__EXIT, BY_EXEC, DEATHS };

static const char *const death_names[] = { "SIGKILL", "exit", "_exit", "exec" };

/* In the child: the death itself, when its requests are in flight; `told` says so to the parent. */
static inline void die(enum death death, int told)
{
    static char *const no_environment[] = { NULL };

    CHECK_INT(write(told, "f", 1), 1);
    switch (death) {
    case BY_SIGKILL:
        for (;;)
            pause();
    case BY_EXIT:
        exit(0);
    case BY__EXIT:
        _exit(0);
    default:
        execle("/bin/true", "true", NULL, no_environment);
        FAIL("/bin/true: %s", strerror(errno));
    }
}

/* Runs `live` in a child, which ends by calling die; returns when the child has been waited for. */
static inline void live_and_die(void (*live)(int ofd, enum death death, int told), int ofd, enum death death)
{
    int told[2], status;
    pid_t child;
    char byte;

    make_pipe(told);
    child = fork_child();
    if (child == 0)
        live(ofd, death, told[1]);
    close(told[1]);
    CHECK_INT(read(told[0], &byte, 1), 1);
    if (death == BY_SIGKILL)
        MUST(kill(child, SIGKILL));
    status = await_child(child);
    if (death == BY_SIGKILL ? !WIFSIGNALED(status) : status != 0)
        FAIL("the child ended with wait status %#x", status);
    close(told[0]);
}

/* For every death: `live` locks the file `name`, by flock and by an OFD lock in turn; afterwards it is free. */
static inline int check_locks(const char *name, void (*live)(int ofd, enum death death, int told))
{
    int failed = 0;

    for (enum death death = 0; death < DEATHS; death++) {
        int flock_kept = 0, ofd_kept = 0;

        STEP(death_names[death]);
        for (int round = 0; round < ROUNDS; round++) {
            struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
            int ofd = round % 2, fd;

            /* A new file each time: what one round keeps is not to be counted twice. */
            unlink(test_path(name));
            close(scratch_file(name, O_RDWR, 65536, 1));
            live_and_die(live, ofd, death);
            fd = MUST(open(test_path(name), O_RDWR | O_CLOEXEC));
            if (ofd && fcntl(fd, F_OFD_SETLK, &whole) == -1)
                ofd_kept++;
            if (!ofd && flock(fd, LOCK_EX | LOCK_NB) == -1)
                flock_kept++;
            close(fd);
        }
        if (flock_kept || ofd_kept) {
            fprintf(stderr, "after %s: flock still held in %d of %d rounds, OFD locks in %d\n", death_names[death],
                    flock_kept, ROUNDS / 2, ofd_kept);
            failed = 1;
        }
    }
    return failed;
}

/* In the child: the file `name` with its lock; `ofd`: an OFD lock, otherwise flock. */
static inline int open_and_lock(const char *name, int flags, int ofd)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = MUST(open(test_path(name), flags | O_CLOEXEC));

    if (ofd)
        MUST(fcntl(fd, F_OFD_SETLK, &whole));
    else
        MUST(flock(fd, LOCK_EX | LOCK_NB));
    return fd;
}

#endif
