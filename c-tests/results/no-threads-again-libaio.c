// face: libaio
// unsanitized: tsan -- the runtime has a thread of its own
/* A process whose helper threads have ended, because there was nothing to do, and that may make no thread any more (pids.max of
   its cgroup, RLIMIT_NPROC): reads, fsyncs and polls that are ready are done as before; none ends with EAGAIN or ECANCELED [F1].
   The kernel's AIO does in io_submit what it has no other thread for. */
#include "one-request.h"

#include <dirent.h>
#include <sys/resource.h>

#define BLOCK 4096

static char group[] = "/sys/fs/cgroup/pids/uringaio-XXXXXX";

static int threads(void)
{
    struct stat status;

    MUST(stat("/proc/self/task", &status));
    return (int)status.st_nlink - 2;
}

static void requests(int file, int direct)
{
    unsigned char *buffer = new_pages(BLOCK);
    char byte;
    int ends[2];

    for (int i = 0; i < 3; i++) {
        CHECK_INT(one_request(ONE_WRITE, file, buffer, BLOCK, 0), BLOCK);
        CHECK_INT(one_request(ONE_FSYNC, file, NULL, 0, 0), 0);
        MUST(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED));
        CHECK_INT(one_request(ONE_READ, file, buffer, BLOCK, 0), BLOCK);
        CHECK_INT(one_request(ONE_READ, direct, buffer, BLOCK, 0), BLOCK);
        CHECK_INT(one_request(ONE_DATASYNC, direct, NULL, 0, 0), 0);
        make_pipe(ends);
        CHECK_INT(one_request(ONE_WRITE, ends[1], buffer, BLOCK, 0), BLOCK);
        CHECK_INT(one_request(ONE_READ, ends[0], &byte, 1, 0), 1);
    }
}

static void write_number(const char *name, int number)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", group, name);
    CHECK((file = fopen(path, "w")) != NULL);
    fprintf(file, "%d", number);
    CHECK_INT(fclose(file), 0);
}

int main(void)
{
    int file, direct, has_group;
    pid_t child;

    start_deadline();
    if (geteuid() != 0)
        SKIP("only root can become a user without rights");
    file = scratch_file("file", O_RDWR, BLOCK, 1);
    direct = scratch_file("direct", O_RDWR | O_DIRECT, BLOCK, 1);
    has_group = mkdtemp(group) != NULL && access(group, W_OK) == 0;
    child = fork_child();
    if (child == 0) {
        requests(file, direct);
        STEP("the helper threads end");
        while (threads() > 1)
            usleep(10000);
        if (has_group) {
            write_number("pids.max", 1);
            write_number("cgroup.procs", getpid());
        } else {
            MUST(setresgid(65534, 65534, 65534));
            MUST(setresuid(65534, 65534, 65534));
            MUST(setrlimit(RLIMIT_NPROC, &(struct rlimit){ 0, 0 }));
        }
        STEP("no thread can be had");
        requests(file, direct);
        exit(0);
    }
    CHECK_INT(exit_status(child), 0);
    if (has_group)
        rmdir(group);
    return 0;
}
