/* What the programs about isolation, lifetime and results share: checks, a deadline that fails, scratch files, threads.

   Exit status: 0 pass, 1 fail, 77 skip; a program that hangs is ended by SIGKILL at its deadline, after one line. */
#ifndef BEHAVIOUR_H
#define BEHAVIOUR_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A process that holds what may keep this one from ending: it gets SIGTERM first. */
static pid_t holder;

/* Ends the process past every handler and every interposed function. */
#define END_PROCESS(status)                                                                                            \
    do {                                                                                                               \
        if (holder > 0)                                                                                                \
            kill(holder, SIGTERM);                                                                                     \
        syscall(SYS_exit_group, status);                                                                               \
        __builtin_unreachable();                                                                                       \
    } while (0)

#define SAY(...)                                                                                                       \
    do {                                                                                                               \
        char say_[512];                                                                                                \
        int length_ = snprintf(say_, sizeof say_, "%s:%d: ", __FILE__, __LINE__);                                      \
        length_ += snprintf(say_ + length_, sizeof say_ - length_, __VA_ARGS__);                                       \
        if (length_ > (int)sizeof say_ - 1)                                                                            \
            length_ = sizeof say_ - 1;                                                                                 \
        say_[length_++] = '\n';                                                                                        \
        if (write(STDERR_FILENO, say_, length_) == -1)                                                                 \
            END_PROCESS(1);                                                                                            \
    } while (0)

#define FAIL(...)                                                                                                      \
    do {                                                                                                               \
        SAY(__VA_ARGS__);                                                                                              \
        END_PROCESS(1);                                                                                                \
    } while (0)

#define SKIP(...)                                                                                                      \
    do {                                                                                                               \
        SAY(__VA_ARGS__);                                                                                              \
        END_PROCESS(77);                                                                                               \
    } while (0)

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            FAIL("not true: %s (errno %d, %s)", #condition, errno, strerror(errno));                                   \
    } while (0)

/* The integer `got` is `want`. */
#define CHECK_INT(got, want)                                                                                           \
    do {                                                                                                               \
        long long got_ = (got);                                                                                        \
        int errno_ = errno;                                                                                            \
        long long want_ = (want);                                                                                      \
        if (got_ != want_)                                                                                             \
            FAIL("%s is %lld, not %lld (%s; errno %d, %s)", #got, got_, want_, #want, errno_, strerror(errno_));       \
    } while (0)

/* A call of the test's own that has to work for the test to mean anything. */
#define MUST(call)                                                                                                     \
    ({                                                                                                                 \
        __typeof__(call) must_ = (call);                                                                               \
        if (must_ == (__typeof__(call))-1)                                                                             \
            FAIL("%s: %s", #call, strerror(errno));                                                                    \
        must_;                                                                                                         \
    })

/* --- time ------------------------------------------------------------------------------------------------------- */

/* Only a hang reaches it. The runner sets more where the machine is busy. */
#define DEADLINE_SECONDS 60

static inline int deadline_seconds(void)
{
    const char *text = getenv("TEST_DEADLINE");

    return text && atoi(text) > 0 ? atoi(text) : DEADLINE_SECONDS;
}

static const char *deadline_step = "the start";

/* What the deadline's line names as the step that did not end. */
#define STEP(text) (deadline_step = (text))

static inline void deadline_reached(int signal)
{
    static const char text[] = "deadline reached: no end of ";

    struct iovec parts[3] = { { (void *)text, sizeof text - 1 },
                              { (void *)deadline_step, strlen(deadline_step) },
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
    alarm(deadline_seconds());
    MUST(timer_create(CLOCK_MONOTONIC, &event, &timer));
    MUST(timer_settime(timer, 0, &kill_in, NULL));
}

static inline int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline void pause_us(long us)
{
    struct timespec t = { us / 1000000, us % 1000000 * 1000 };

    while (nanosleep(&t, &t) == -1 && errno == EINTR)
        ;
}

/* Looks until `condition` holds: for states that cannot be waited for. The deadline ends it. */
#define WAIT_UNTIL(condition)                                                                                          \
    do {                                                                                                               \
        const char *step_ = deadline_step;                                                                             \
        STEP("waiting until " #condition);                                                                             \
        while (!(condition))                                                                                           \
            pause_us(500);                                                                                             \
        STEP(step_);                                                                                                   \
    } while (0)

/* --- files ------------------------------------------------------------------------------------------------------ */

/* The path of `name` in the test's own directory. It stays allocated. */
static inline char *scratch_path(const char *name)
{
    const char *dir = getenv("TEST_DIR");
    char *path = NULL;

    if (asprintf(&path, "%s/%s", dir ? dir : ".", name) == -1)
        FAIL("no memory");
    return path;
}

/* Byte `i` of the pattern that `seed` names. */
static inline unsigned char pattern_byte(unsigned seed, size_t i)
{
    uint32_t x = (uint32_t)i * 2654435761u + seed * 40503u + 12345u;

    x ^= x >> 15;
    x *= 2246822519u;
    return (unsigned char)(x >> 13);
}

static inline void fill_pattern(void *buffer, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)buffer)[i] = pattern_byte(seed, i);
}

static inline int is_pattern(const void *buffer, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        if (((const unsigned char *)buffer)[i] != pattern_byte(seed, i))
            return 0;
    return 1;
}

static inline int is_all(const void *buffer, size_t size, unsigned char byte)
{
    for (size_t i = 0; i < size; i++)
        if (((const unsigned char *)buffer)[i] != byte)
            return 0;
    return 1;
}

/* The file `name` in the scratch directory with `size` bytes of pattern `seed` on the disk, opened with `flags`. Skips
   where the file system refuses O_DIRECT. */
static inline int scratch_file(const char *name, int flags, size_t size, unsigned seed)
{
    char *path = scratch_path(name);
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

/* --- threads and processes -------------------------------------------------------------------------------------- */

static inline pthread_t start_thread(void *(*function)(void *), void *argument)
{
    pthread_t thread;

    CHECK_INT(pthread_create(&thread, NULL, function, argument), 0);
    return thread;
}

static inline void *join_thread(pthread_t thread)
{
    void *result;

    CHECK_INT(pthread_join(thread, &result), 0);
    return result;
}

static inline pid_t this_thread(void)
{
    return (pid_t)syscall(SYS_gettid);
}

/* The state letter of a thread of process `pid`, as /proc tells it ('R', 'S', 'D', 'T', 't', 'Z'); '?': it is gone. */
static inline char thread_state(pid_t pid, pid_t tid)
{
    char path[64], text[512], *end;
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return '?';
    n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return '?';
    text[n] = 0;
    end = strrchr(text, ')');
    return end && end[1] ? end[2] : '?';
}

/* How many threads this process has. */
static inline int count_threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    struct dirent *entry;
    int count = 0;

    CHECK(dir != NULL);
    while ((entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

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

static inline int await_child(pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) == -1)
        CHECK_INT(errno, EINTR);
    return status;
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

static inline void make_pipe(int ends[2])
{
    MUST(pipe2(ends, O_CLOEXEC));
}

#endif
