// face: libaio
/* A number that the C library closed by itself (pclose, closedir, freopen) and that names another file by now: io_submit
   refuses and accepts by what it is now [A4] [A5] (io_submit(2): the kernel looks the descriptor up at the call). */
#include <dirent.h>

#include "iocb.h"

static io_context_t context;
static char name[64];

static void expect(int fd, long long reads, long long writes)
{
    char bytes[4];
    struct iocb iocb;
    struct io_event event;
    struct iocb *list = &iocb;

    for (int way = 0; way < 2; way++) {
        const long long want = way ? writes : reads;

        if (way)
            io_prep_pwrite(&iocb, fd, "abc", 3, 0);
        else
            io_prep_pread(&iocb, fd, bytes, 3, 0);
        CHECK_INT(io_submit(context, 1, &list), want < 0 ? want : 1);
        if (want >= 0) {
            reap(context, 1, &event);
            CHECK_INT((long)event.res, want);
        }
    }
}

/* Opens the file, which gets the number that was just closed. */
static int again(int fd, int flags)
{
    CHECK_INT(open(name, flags), fd);
    return fd;
}

int main(void)
{
    FILE *stream;
    DIR *directory;
    int fd = pattern_file(O_RDWR, 4096, 0), ends[2];

    context = make_context(8);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);

    CHECK((stream = popen("echo abcdef", "r")) != NULL);
    fd = fileno(stream);
    expect(fd, 3, -EBADF);
    pclose(stream);
    expect(again(fd, O_WRONLY), -EBADF, 3);
    close(fd);

    CHECK((directory = opendir("/")) != NULL);
    fd = dirfd(directory);
    expect(fd, -EINVAL, -EBADF);
    closedir(directory);
    expect(again(fd, O_RDWR), 3, 3);
    close(fd);

    CHECK((stream = fopen(name, "r")) != NULL);
    fd = fileno(stream);
    expect(fd, 3, -EBADF);
    CHECK((stream = freopen(name, "r+", stream)) != NULL && fileno(stream) == fd);
    expect(fd, 3, 3);
    CHECK((stream = freopen("/dev/null", "w", stream)) != NULL && fileno(stream) == fd);
    expect(fd, -EBADF, 3);
    fclose(stream);

    /* A file becomes a pipe. */
    CHECK((directory = opendir("/")) != NULL);
    fd = dirfd(directory);
    expect(fd, -EINVAL, -EBADF);
    closedir(directory);
    make_pipe(ends);
    CHECK_INT(ends[0], fd);
    CHECK_INT(write(ends[1], "abc", 3), 3);
    expect(ends[0], 3, -EBADF);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
