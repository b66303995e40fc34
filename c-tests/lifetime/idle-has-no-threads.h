/* The body of idle-has-no-threads-posix.c and idle-has-no-threads-libaio.c, which say what it does. */
#include "one-request.h"

static unsigned char *buffer;
static int cached, direct, append, ends[2];

#ifdef ONE_REQUEST_POSIX
static void callback(union sigval value)
{
    (void)value;
}

static void callback_request(void)
{
    struct aiocb cb = make_cb(cached, buffer, 4096, 0);

    cb.aio_sigevent.sigev_notify = SIGEV_THREAD;
    cb.aio_sigevent.sigev_notify_function = callback;
    CHECK_INT(aio_read(&cb), 0);
    AWAIT_CB(&cb);
}
#else
static void callback_request(void)
{
}
#endif

static void some_requests(void)
{
    STEP("requests");
    for (int i = 0; i < 200; i++) {
        CHECK_INT(one_request(ONE_READ, direct, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_WRITE, append, buffer, 1, 0), 1);
        CHECK_INT(one_request(ONE_READ, cached, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_FSYNC, cached, NULL, 0, 0), 0);
        CHECK_INT(one_request(ONE_WRITE, ends[1], buffer, 1, 0), 1);
        CHECK_INT(one_request(ONE_READ, ends[0], buffer, 1, 0), 1);
    }
    /* A callback has had a thread, too. */
    callback_request();
}

/* Whether an io_uring is mapped: CRIU cannot dump a process that has one. */
static int has_io_uring(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    int found = 0;

    CHECK(maps != NULL);
    while (fgets(line, sizeof line, maps))
        found |= strstr(line, "[io_uring]") != NULL;
    fclose(maps);
    return found;
}

/* Whether this process could join the namespace. */
static int joins(const char *path, int kind)
{
    int namespace = open(path, O_RDONLY | O_CLOEXEC), joined;

    if (namespace == -1)
        return 0;
    joined = setns(namespace, kind) == 0;
    close(namespace);
    return joined;
}

static void run(int which)
{
    char path[64];
    pid_t other;

    some_requests();
    /* A process in a user namespace of its own, to be joined. */
    other = fork_child();
    if (other == 0) {
        MUST(unshare(CLONE_NEWUSER | CLONE_NEWNS));
        for (;;)
            pause();
    }
    snprintf(path, sizeof path, "/proc/%d/ns/%s", other, which == 1 ? "user" : "mnt");
    switch (which) {
    case 0:
        WAIT_UNTIL(unshare(CLONE_NEWUSER) == 0);
        break;
    case 1:
        WAIT_UNTIL(joins(path, CLONE_NEWUSER));
        break;
    case 2:
        /* Refused while a thread shares the current directory. */
        WAIT_UNTIL(joins(path, CLONE_NEWNS));
        break;
    default:
        WAIT_UNTIL(count_threads() == 1);
        CHECK(!has_io_uring());
    }
    kill(other, SIGKILL);
    /* What comes back is there at once. */
    some_requests();
    STEP("exit");
    exit(0);
}

int main(void)
{
    start_deadline();
    if (geteuid() != 0)
        SKIP("joining a namespace takes root");
    if (fork_child() == 0)
        END_PROCESS(unshare(CLONE_NEWUSER) == 0 ? 0 : 77);
    if (exit_status(-1) == 77)
        SKIP("no user namespaces here");
    buffer = new_pages(4096);
    cached = scratch_file("cached", O_RDWR, 4096, 1);
    direct = scratch_file("direct", O_RDWR | O_DIRECT, 4096, 1);
    append = scratch_file("append", O_WRONLY | O_APPEND, 4096, 1);
    make_pipe(ends);
    STEP("the processes that do nothing");
    for (int which = 0; which < 4; which++)
        if (fork_child() == 0)
            run(which);
    for (int which = 0; which < 4; which++)
        CHECK_INT(exit_status(-1), 0);
    return 0;
}
