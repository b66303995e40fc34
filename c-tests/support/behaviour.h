/* What the programs about isolation, lifetime and results share beside the headers that it includes: a deadline of the whole
   program, files by name, memory, children that end with their parent.

   A program that hangs is ended by SIGKILL at its deadline, after one line. */
#ifndef BEHAVIOUR_H
#define BEHAVIOUR_H

#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#include "check.h"
#include "deadline.h"
#include "files.h"
#include "process.h"

/* --- the program's deadline ------------------------------------------------------------------------------------- */

static inline void deadline_reached(int signal)
{
    static const char text[] = "deadline reached: no end of ";
    const char *step = CURRENT_STEP();
    struct iovec parts[3] = { { (void *)text, sizeof text - 1 },
                              { (void *)step, strlen(step) },
                              { (void *)"\n", 1 } };

    (void)signal;
    if (writev(STDERR_FILENO, parts, 3) == -1)
        raise(SIGKILL);
    /* Not _exit: a test may be about an exit that hangs. */
    if (holder > 0)
        kill(holder, SIGTERM);
    kill(getpid(), SIGKILL);
}

/* The first call of main. The handler has SA_RESTART, so that its presence changes no call. If no thread can run it,
   SIGKILL comes two seconds later. */
static inline void start_deadline(void)
{
    struct itimerspec kill_in = { .it_value = { deadline_seconds() + 2, 0 } };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
    struct sigaction action;
    timer_t timer;

    memset(&action, 0, sizeof action);
    action.sa_handler = deadline_reached;
    action.sa_flags = SA_RESTART;
    MUST(sigaction(SIGALRM, &action, NULL));
    program_has_deadline = 1;
    alarm(deadline_seconds());
    MUST(timer_create(CLOCK_MONOTONIC, &event, &timer));
    MUST(timer_settime(timer, 0, &kill_in, NULL));
}

/* --- files and memory ------------------------------------------------------------------------------------------- */

/* The file `name` in the scratch directory with `size` bytes of pattern `seed` on the disk, opened with `flags`. Skips
   where the file system refuses O_DIRECT. */
static inline int scratch_file(const char *name, int flags, size_t size, unsigned seed)
{
    char *path = test_path(name);
    int fd = MUST(open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)), opened;
    unsigned char *bytes = malloc(size + 1);

    CHECK(bytes != NULL);
    fill_pattern(bytes, size, seed);
    CHECK_INT(pwrite(fd, bytes, size, 0), (long long)size);
    MUST(fsync(fd));
    free(bytes);
    close(fd);
    opened = open(path, flags | O_CLOEXEC);
    if (opened == -1 && (flags & O_DIRECT) && errno == EINVAL)
        SKIP("this file system has no O_DIRECT");
    CHECK(opened >= 0);
    free(path);
    return opened;
}

/* Whole pages of zeroes, aligned for O_DIRECT, in a mapping of their own. */
static inline void *new_pages(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(pages != MAP_FAILED);
    return pages;
}

/* Memory that children share. */
static inline void *new_shared(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(pages != MAP_FAILED);
    return pages;
}

/* --- processes -------------------------------------------------------------------------------------------------- */

/* A child that ends with its parent and has a deadline of its own, which is later. */
static inline pid_t fork_child(void)
{
    pid_t child = MUST(fork());

    if (child == 0) {
        holder = 0;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(deadline_seconds());
    }
    return child;
}

/* The child's exit status; a signal that ended it fails the test. */
static inline int exit_status(pid_t child)
{
    int status = await_child(child);

    if (!WIFEXITED(status))
        FAIL("the child was ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static inline void set_handler(int signal, void (*handler)(int), int flags)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    MUST(sigaction(signal, &action, NULL));
}

#endif
