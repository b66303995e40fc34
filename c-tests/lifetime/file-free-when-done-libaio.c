// face: libaio
/* When the final status of a write is visible and the program has closed the file, the file is free: it can be executed
   (no ETXTBSY), and its flock is free. With O_APPEND and without.

   [E1] execve(2), ETXTBSY: a file that is open for writing cannot be executed; flock(2); pipe(7). A program that sees
   its request done and closes the file relies on nobody else having it open. */
#include <sys/file.h>

#include "libaio-calls.h"

#define ROUNDS 1500 /* one in five executes the file */
#define SIZE 4096

static int text_busy, locked;

/* Looks at the ring itself: whoever is woken by the library is late. */
static void write_whole(int fd, void *buffer)
{
    static io_context_t context;
    struct io_event event;
    struct iocb iocb;

    if (!context)
        context = context_of(8);
    io_prep_pwrite(&iocb, fd, buffer, SIZE, 0);
    submit_one(context, &iocb);
    while (!ring_take(context, &event))
        ;
    CHECK_INT((long)event.res, SIZE);
}

static void round_with(int flags, void *script, int execute)
{
    static char *path;
    char *const arguments[] = { (char *)"script", NULL }, *const environment[] = { NULL };
    int fd, other, status;
    pid_t child;

    path = path ? path : scratch_path("script");
    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0755);
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

int main(void)
{
    static const int flags[] = { 0, O_APPEND };
    char *script;

    start_deadline();
    script = new_pages(SIZE);
    memset(script, '\n', SIZE);
    memcpy(script, "#!/bin/true\n", 12);
    for (int f = 0; f < 2; f++) {
        for (int round = 0; round < ROUNDS; round++)
            round_with(flags[f], script, round % 5 == 0);
        if (text_busy || locked)
            FAIL("with flags %#x in %d rounds: ETXTBSY %d times, flock held %d times", flags[f], ROUNDS, text_busy,
                 locked);
    }
    return 0;
}
