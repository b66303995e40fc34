/* A listener that is asked before each read of one file. */
#ifndef FANOTIFY_H
#define FANOTIFY_H

#include <sys/fanotify.h>

#include "behaviour.h"

/* Asks for permission before reads of the file `name` in the scratch directory. Skips where that is not possible. */
static inline int fanotify_start(const char *name)
{
    int fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC);

    if (fd == -1 || fanotify_mark(fd, FAN_MARK_ADD, FAN_ACCESS_PERM, AT_FDCWD, test_path(name)) == -1)
        SKIP("no fanotify permission events here: %s", strerror(errno));
    return fd;
}

/* Waits for the next question; its descriptor names it. */
static inline int fanotify_await(int fd)
{
    struct fanotify_event_metadata event;

    CHECK_INT(read(fd, &event, sizeof event), sizeof event);
    CHECK(event.mask & FAN_ACCESS_PERM);
    return event.fd;
}

static inline void fanotify_allow(int fd, int question)
{
    struct fanotify_response answer = { .fd = question, .response = FAN_ALLOW };

    CHECK_INT(write(fd, &answer, sizeof answer), sizeof answer);
    close(question);
}

#endif
