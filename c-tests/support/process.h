/* What can be seen of a process from outside: descriptors, threads, signals; children; signal helpers. */
#ifndef PROCESS_H
#define PROCESS_H

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "check.h"
#include "deadline.h"

static inline int count_entries(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int count = 0;

    if (!dir)
        FAIL("%s: %s", path, strerror(errno));
    while ((entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* Open descriptors of this process, without the one that counts. */
static inline int count_descriptors(void)
{
    return count_entries("/proc/self/fd") - 1;
}

static inline int count_threads(void)
{
    return count_entries("/proc/self/task");
}

/* The line of /proc/self/task/TID/NAME (or /proc/self/NAME with tid 0) that starts with `key`, after the colon. */
static inline int proc_line(pid_t tid, const char *name, const char *key, char *value, size_t size)
{
    char path[64], line[512];
    FILE *file;
    int found = 0;

    if (tid)
        snprintf(path, sizeof path, "/proc/self/task/%d/%s", tid, name);
    else
        snprintf(path, sizeof path, "/proc/self/%s", name);
    file = fopen(path, "re");
    if (!file)
        return 0;
    while (!found && fgets(line, sizeof line, file)) {
        size_t length = strlen(key);

        if (strncmp(line, key, length) == 0 && line[length] == ':') {
            char *start = line + length + 1;

            start += strspn(start, " \t");
            start[strcspn(start, "\n")] = 0;
            snprintf(value, size, "%s", start);
            found = 1;
        }
    }
    fclose(file);
    return found;
}

/* The same of `status`. */
static inline int status_line(pid_t tid, const char *key, char *value, size_t size)
{
    return proc_line(tid, "status", key, value, size);
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

/* True once thread `tid` of this process sleeps in the kernel. Wait for it with WAIT_UNTIL. */
static inline int thread_sleeps(pid_t tid)
{
    char state = thread_state(getpid(), tid);

    return state == 'S' || state == 'D';
}

static inline pid_t this_thread(void)
{
    return (pid_t)syscall(SYS_gettid);
}

static inline pthread_t start_thread(void *(*function)(void *), void *argument)
{
    pthread_t thread;

    CHECK_INT(pthread_create(&thread, NULL, function, argument), 0);
    return thread;
}

static inline void *join_thread(pthread_t thread)
{
    struct timespec end;
    void *result;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += DEADLINE_SECONDS;
    CHECK_INT(pthread_timedjoin_np(thread, &result, &end), 0);
    return result;
}

static inline void on_signal(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    MUST(sigaction(signal, &action, NULL));
}

static inline void block_signal(int signal)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
}

/* Takes the next blocked `signal`; fails at the deadline. */
static inline siginfo_t take_signal(int signal)
{
    int64_t end = deadline_ns();
    struct timespec timeout = { 1, 0 };
    siginfo_t info;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    while (sigtimedwait(&set, &info, &timeout) == -1) {
        if (now_ns() > end)
            FAIL("no signal %d in %d s", signal, DEADLINE_SECONDS);
    }
    return info;
}

static inline int signal_is_pending(int signal)
{
    sigset_t set;

    MUST(sigpending(&set));
    return sigismember(&set, signal);
}

/* Waits for the child; its wait status. Fails at the deadline and then ends the child, which is ours. */
static inline int await_child(pid_t child)
{
    int64_t end = deadline_ns();
    int status;

    for (;;) {
        pid_t got = waitpid(child, &status, WNOHANG);

        if (got == child)
            return status;
        if (got == -1 && errno != EINTR)
            FAIL("waitpid: %s", strerror(errno));
        if (now_ns() > end) {
            kill(child, SIGKILL);
            FAIL("child %d did not end in %d s", child, DEADLINE_SECONDS);
        }
        pause_ms(2);
    }
}

#define CHECK_CHILD(child, code)                                                                                       \
    do {                                                                                                               \
        int status_ = await_child(child);                                                                              \
        if (!WIFEXITED(status_) || WEXITSTATUS(status_) != (code))                                                     \
            FAIL("the child's wait status is %#x, not an exit with %d", status_, code);                                \
    } while (0)

/* A limit that a test sets for itself alone. */
static inline void set_limit(int resource, rlim_t soft)
{
    struct rlimit limit;

    MUST(getrlimit(resource, &limit));
    limit.rlim_cur = soft;
    if (soft > limit.rlim_max)
        limit.rlim_max = soft;
    if (setrlimit(resource, &limit) == -1)
        SKIP("setrlimit(%d, %ld): %s", resource, (long)soft, strerror(errno));
}

#endif
