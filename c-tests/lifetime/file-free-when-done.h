/* The body of the programs lifetime/file-free-when-done-*, which say what it does and how a file is written. */
#include <sys/file.h>

#include "behaviour.h"

#ifndef ROUNDS
#define ROUNDS 1500 /* one in five executes the file */
#endif
#define SIZE 4096

static int text_busy, locked;

/* Writes `SIZE` bytes at the start of the file, and sees them done without being woken by the library. */
static void write_whole(int fd, void *buffer);

static void round_with(int flags, void *script, int execute)
{
    static char *path;
    char *const arguments[] = { (char *)"script", NULL }, *const environment[] = { NULL };
    int fd, other, status;
    pid_t child;

    path = path ? path : test_path("script");
    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0755);
    if (fd == -1 && (flags & O_DIRECT) && errno == EINVAL)
        SKIP("this file system has no O_DIRECT");
    CHECK(fd >= 0);
    MUST(flock(fd, LOCK_EX));
    write_whole(fd, script);
    MUST(close(fd));
    other = MUST(open(path, O_RDONLY | O_CLOEXEC));
    locked += flock(other, LOCK_EX | LOCK_NB) == -1;
    close(other);
    if (!execute)
        return;
    /* By vfork: the child has nothing to tell but its errno. */
    child = vfork();
    if (child == 0) {
        execve(path, arguments, environment);
        syscall(SYS_exit_group, errno);
    }
    CHECK(child > 0);
    status = await_child(child);
    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status) == ETXTBSY)
        text_busy++;
    else
        CHECK_INT(WEXITSTATUS(status), 0);
}

static void run(const int *flags, int count)
{
    char *script;

    start_deadline();
    script = new_pages(SIZE);
    memset(script, '\n', SIZE);
    memcpy(script, "#!/bin/true\n", 12);
    for (int f = 0; f < count; f++) {
        for (int round = 0; round < ROUNDS; round++)
            round_with(flags[f], script, round % 5 == 0);
        if (text_busy || locked)
            FAIL("with flags %#x in %d rounds: ETXTBSY %d times, flock held %d times", flags[f], ROUNDS, text_busy,
                 locked);
    }
}
