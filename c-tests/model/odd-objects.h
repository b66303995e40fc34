/* Descriptors of many kinds, made twice for each thread: one set for the original, one for the library that is tested. Nothing
   here waits: streams are O_NONBLOCK. */
#ifndef ODD_OBJECTS_H
#define ODD_OBJECTS_H

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "files.h"
#include "terminal.h"

#define SIDES 2
#define MOST_OBJECTS 64
#define CONTENT 20000
#define MOST_BYTES (1 << 21) /* a file never has more: RLIMIT_FSIZE */
#define REGION 8192

struct object {
    const char *name;
    int fd[SIDES];
    int group;       /* what is done to one object of a group can be seen through the others: the first object's number */
    int has_content; /* compare it at the end */
    int is_direct, appends;
    int varies; /* what a read returns, or how much, is not the same twice */
    int only_reads; /* what is written would be read by other threads, or nobody knows when */
    int64_t region; /* of a file of all threads: where this thread's REGION bytes begin */
    int unlike; /* reads (1), writes (2), flushes (4) that the kernel's AIO refuses because the file has no function for them,
                   and the library does by a plain call: docs/limits.md */
    int unlike_nowait; /* so it is with RWF_NOWAIT */
};

static __thread struct object objects[MOST_OBJECTS];
static __thread int object_count;

static inline void add_object(struct object object)
{
    CHECK(object_count < MOST_OBJECTS);
    object.group = object_count;
    objects[object_count++] = object;
}

static inline void add(const char *name, int one, int other)
{
    add_object((struct object){ .name = name, .fd = { one, other } });
}

static inline void add_unlike(const char *name, int unlike, int one, int other)
{
    add_object((struct object){ .name = name, .fd = { one, other }, .unlike = unlike });
}

/* A file of its own for each side. */
static inline void add_file(const char *name, int flags)
{
    struct object object = { .name = name, .has_content = 1,
                             .is_direct = (flags & O_DIRECT) != 0, .appends = (flags & O_APPEND) != 0 };

    for (int side = 0; side < SIDES; side++) {
        object.fd[side] = pattern_file(O_RDWR, CONTENT, 3);
        if (flags != O_RDWR)
            object.fd[side] = reopen(object.fd[side], flags);
    }
    add_object(object);
}

static inline void add_pairs(const char *one_end, const char *other_end, void (*make)(int ends[2]))
{
    int ends[SIDES][2];

    for (int side = 0; side < SIDES; side++)
        make(ends[side]);
    add(one_end, ends[0][0], ends[1][0]);
    add(other_end, ends[0][1], ends[1][1]);
    objects[object_count - 1].group = object_count - 2;
}

static inline void make_pipe_nonblocking(int ends[2])
{
    MUST(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
}

static inline void make_broken_pipe(int ends[2])
{
    int other[2];

    make_pipe_nonblocking(ends);
    make_pipe_nonblocking(other);
    close(ends[1]);
    close(other[0]);
    ends[1] = other[1];
}

static inline void make_streams(int ends[2])
{
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends));
}

static inline void make_datagrams(int ends[2])
{
    MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends));
}

static inline int new_memfd(int seals)
{
    int fd = MUST(memfd_create("odd", MFD_CLOEXEC | MFD_ALLOW_SEALING));

    MUST(ftruncate(fd, 5000));
    if (seals)
        MUST(fcntl(fd, F_ADD_SEALS, seals));
    return fd;
}

static inline int new_listener(void)
{
    int fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

    MUST(listen(fd, 1));
    return fd;
}

static inline int new_signalfd(void)
{
    sigset_t set;

    sigemptyset(&set);
    return MUST(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

/* In raw mode, and silent. */
static inline int new_terminal(int is_hung_up)
{
    struct terminal t = raw_terminal(1, 0);

    MUST(fcntl(t.terminal, F_SETFL, O_NONBLOCK));
    if (is_hung_up)
        close(t.master);
    return t.terminal;
}

#define TWICE(expression) MUST(expression), MUST(expression)

static inline void make_objects(void)
{
    add_file("a file", O_RDWR);
    add_file("a file, read only", O_RDONLY);
    add_file("a file, write only", O_WRONLY);
    add_file("a file, O_APPEND", O_RDWR | O_APPEND);
    add_file("a file, O_SYNC", O_RDWR | O_SYNC);
    add_file("a file, O_NONBLOCK", O_RDWR | O_NONBLOCK);
    add_file("a file, O_DIRECT", O_RDWR | O_DIRECT);
    add_file("a file, O_DIRECT and O_APPEND", O_RDWR | O_DIRECT | O_APPEND);
    add("a file, O_PATH", TWICE(open(".", O_PATH | O_CLOEXEC)));
    add("a directory", TWICE(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
    add("/dev/null", TWICE(open("/dev/null", O_RDWR | O_CLOEXEC)));
    /* With RWF_NOWAIT it may stop after any page. */
    add_object((struct object){ "/dev/zero", { TWICE(open("/dev/zero", O_RDWR | O_CLOEXEC)) }, .varies = 1 });
    add_unlike("/dev/full", 1 | 2, TWICE(open("/dev/full", O_RDWR | O_CLOEXEC)));
    add_object((struct object){ "/dev/urandom", { TWICE(open("/dev/urandom", O_RDWR | O_CLOEXEC)) }, .varies = 1 });
    add_unlike("/proc/version", 4, TWICE(open("/proc/version", O_RDONLY | O_CLOEXEC)));
    add_unlike("/proc/self/comm", 1 | 2 | 4, TWICE(open("/proc/self/comm", O_RDWR | O_CLOEXEC)));
    objects[object_count - 1].only_reads = 1;
    add("a memfd", new_memfd(0), new_memfd(0));
    add("a memfd sealed against writes", new_memfd(F_SEAL_WRITE), new_memfd(F_SEAL_WRITE));
    add("a memfd sealed against growth", new_memfd(F_SEAL_GROW), new_memfd(F_SEAL_GROW));
    add_pairs("a pipe's read end", "its write end", make_pipe_nonblocking);
    add_pairs("an ended pipe", "a broken pipe", make_broken_pipe);
    add_pairs("a socket", "its peer", make_streams);
    add_pairs("a datagram socket", "its peer", make_datagrams);
    add("an unconnected TCP socket", TWICE(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
    add("an unconnected Unix socket", TWICE(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
    add("an unconnected UDP socket", TWICE(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
    add("a listening socket", new_listener(), new_listener());
    add_unlike("an eventfd", 2, TWICE(eventfd(3, EFD_CLOEXEC | EFD_NONBLOCK)));
    add_unlike("a timerfd", 1 | 2, TWICE(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)));
    add_unlike("a signalfd", 1 | 2, new_signalfd(), new_signalfd());
    add_unlike("an epoll", 1 | 2, TWICE(epoll_create1(EPOLL_CLOEXEC)));
    add_unlike("an inotify", 1 | 2, TWICE(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)));
    add_object((struct object){ "a terminal", { new_terminal(0), new_terminal(0) }, .only_reads = 1, .unlike_nowait = 1 });
    add_object((struct object){ "a terminal that was hung up", { new_terminal(1), new_terminal(1) }, .unlike_nowait = 1 });
    add("a closed number", 900, 900);
    add("-1", -1, -1);
    add("INT_MAX", INT_MAX, INT_MAX);
    add("-100", -100, -100);
}

/* A file of all threads, of which each reads and writes a region of its own. */
static inline void add_shared(const int file[SIDES], int thread)
{
    add_object((struct object){ "a file of all threads", { reopen(file[0], O_RDWR), reopen(file[1], O_RDWR) },
                                .region = (int64_t)(thread + 1) * REGION });
}

#endif
