/* Pages that are not there until the test says so (userfaultfd). Whatever touches one, in user space or in the kernel,
   sleeps until userfault_fill. */
#ifndef USERFAULT_H
#define USERFAULT_H

#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "behaviour.h"
#include "memory.h"

struct userfault {
    int fd;
    unsigned char *pages;
    size_t size;
};

/* Maps whole pages for `size` bytes, of which none is there. Skips where the kernel does not allow it. */
static inline struct userfault userfault_map(size_t size)
{
    struct uffdio_api api = { .api = UFFD_API };
    struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
    struct userfault u = { .size = whole_pages(size) };

    u.fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    if (u.fd == -1)
        SKIP("no userfaultfd here: %s", strerror(errno));
    MUST(ioctl(u.fd, UFFDIO_API, &api));
    u.pages = new_pages(u.size);
    range.range.start = (uintptr_t)u.pages;
    range.range.len = u.size;
    MUST(ioctl(u.fd, UFFDIO_REGISTER, &range));
    return u;
}

/* Waits until somebody sleeps for a page; its address. */
static inline void *userfault_await(const struct userfault *u)
{
    struct pollfd ready = { u->fd, POLLIN, 0 };
    struct uffd_msg message;

    for (;;) {
        if (poll(&ready, 1, -1) == -1)
            CHECK_INT(errno, EINTR);
        if (read(u->fd, &message, sizeof message) == sizeof message && message.event == UFFD_EVENT_PAGEFAULT)
            return (void *)(uintptr_t)(message.arg.pagefault.address & ~(page_size() - 1ULL));
    }
}

/* Fills every page that is still missing with pattern `seed`, counted from the start of the mapping. */
static inline void userfault_fill(const struct userfault *u, unsigned seed)
{
    unsigned char *source = new_pages(u->size);

    fill_pattern(source, u->size, seed);
    for (size_t at = 0; at < u->size; at += page_size()) {
        struct uffdio_copy copy = { .dst = (uintptr_t)u->pages + at, .src = (uintptr_t)source + at, .len = page_size() };

        if (ioctl(u->fd, UFFDIO_COPY, &copy) == -1)
            CHECK_INT(errno, EEXIST);
    }
    munmap(source, u->size);
}

#endif
