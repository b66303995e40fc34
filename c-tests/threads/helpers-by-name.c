/* The library's threads have a name of their own in /proc and block every signal that can be blocked [C4]. */
// unsanitized: tsan -- the runtime has a thread of its own
// columns: preload threads without -- glibc's threads have the program's name
#include "aiocb.h"
#include "process.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1), ends[2], found = 0;
    char in[10];

    make_pipe(ends);
    struct aiocb cb = make_cb(fd, in, sizeof in, 0), pipe_cb = make_cb(ends[0], in, 1, 0);
    CHECK_INT(aio_read(&pipe_cb), 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, sizeof in);
    DIR *dir = opendir("/proc/self/task");
    struct dirent *entry;
    CHECK(dir);
    while ((entry = readdir(dir))) {
        pid_t tid = atoi(entry->d_name);
        char name[64], blocked[64];

        if (tid == 0 || tid == getpid() || !status_line(tid, "Name", name, sizeof name))
            continue;
        if (strncmp(name, "uringaio", 8) != 0)
            FAIL("a thread has the name %s", name);
        CHECK(status_line(tid, "SigBlk", blocked, sizeof blocked));
        /* All but KILL, STOP and the two that libc keeps for itself (setuid in all threads, cancellation). */
        unsigned long long mask = strtoull(blocked, NULL, 16);
        unsigned long long free = 1ULL << (SIGKILL - 1) | 1ULL << (SIGSTOP - 1) | 3ULL << 31;
        CHECK_INT(~mask & ~free, 0);
        found++;
    }
    closedir(dir);
    CHECK(found >= 1);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&pipe_cb, 1);
    return 0;
}
