/* The answer to a request of /dev/fuse, for every file server of the tests. */
#ifndef FUSE_REPLY_H
#define FUSE_REPLY_H

#include <errno.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/uio.h>

/* Answers with `error`, an errno, or with `data`. A request that the kernel has given up takes no answer: nothing is left to do. */
static inline void fuse_reply(int dev, uint64_t unique, int error, const void *data, size_t size)
{
    struct fuse_out_header head = { .len = sizeof head + (error ? 0 : size), .error = -error, .unique = unique };
    struct iovec parts[2] = { { &head, sizeof head }, { (void *)data, error ? 0 : size } };

    if (writev(dev, parts, 2) == -1 && errno != ENOENT && errno != ENODEV)
        perror("answer to /dev/fuse");
}

#endif
