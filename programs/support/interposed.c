/* Calls each function that the library has beside the two interfaces, some with what is refused, and prints the answers: linked
   with the library they are those of the C library alone. usage: interposed FILE */
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <ulimit.h>
#include <unistd.h>

#define SHOW(call)                                                                                                            \
    do {                                                                                                                      \
        errno = 0;                                                                                                            \
        long answer = (long)(call);                                                                                           \
        printf("%s: %ld%s%s\n", #call, answer, answer == -1 ? ", " : "", answer == -1 ? strerror(errno) : "");                \
    } while (0)

static int write_at(int fd, off_t offset)
{
    static char bytes[512];
    struct aiocb cb = { .aio_fildes = fd, .aio_buf = bytes, .aio_nbytes = sizeof bytes, .aio_offset = offset };
    const struct aiocb *list[] = { &cb };

    if (aio_write(&cb) != 0)
        return -errno;
    while (aio_error(&cb) == EINPROGRESS)
        aio_suspend(list, 1, NULL);
    return aio_error(&cb) ? -aio_error(&cb) : (int)aio_return(&cb);
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    char text[16] = "";
    int ends[2], waiting, fd;
    FILE *file;
    /* The compiler knows that these want a pointer. */
    void *volatile bad = (void *)8, *volatile none = NULL, *page;

    if (argc != 2 || pipe(ends) != 0)
        return 2;
    SHOW(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    SHOW(ioctl(ends[0], FIONREAD, &waiting));
    SHOW(ioctl(99, FIONREAD, &waiting));
    SHOW(unshare(0));
    SHOW(setns(99, 0));
    SHOW(setfsuid(-1));
    SHOW(setfsgid(-1));
    page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SHOW(mprotect(page, 4096, PROT_NONE));
    SHOW(munmap(page, 4096));

    SHOW(fcntl(ends[0], F_GETFL));
    SHOW(fcntl(99, F_GETFL));
    SHOW(fcntl(ends[0], F_DUPFD, 60));
    SHOW(dup2(ends[0], 50));
    SHOW(dup2(50, 50));
    SHOW(dup2(98, 98));
    SHOW(dup2(98, 51));
    SHOW(dup3(ends[0], 52, O_CLOEXEC));
    SHOW(dup3(50, 50, 0));
    SHOW(close(50));
    SHOW(close(50));
    SHOW(close_range(52, 70, 0));
    SHOW(close(52));

    file = fopen(argv[1], "w");
    SHOW(file && fputs("hello", file) >= 0);
    SHOW(fclose(file));
    file = fopen(argv[1], "r");
    SHOW(file && fgets(text, sizeof text, file) != NULL);
    SHOW(strcmp(text, "hello"));
    SHOW(fclose(file));

    SHOW(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 200;
    SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    SHOW(setrlimit(999, &limit));
    SHOW(setrlimit(RLIMIT_NOFILE, bad));
    SHOW(setrlimit(RLIMIT_NOFILE, none));
    SHOW(prlimit(0, RLIMIT_CORE, NULL, NULL));
    SHOW(prlimit(0, RLIMIT_CORE, bad, NULL));
    SHOW(prlimit(0, RLIMIT_CORE, NULL, bad));
    SHOW(prlimit(1 << 30, RLIMIT_CORE, NULL, &limit));
    SHOW(prlimit(0, RLIMIT_NOFILE, NULL, &limit));
    SHOW(limit.rlim_cur);
    SHOW(ulimit(UL_GETFSIZE));
    SHOW(ulimit(4));
    SHOW(ulimit(77));
    SHOW(ulimit(UL_SETFSIZE, 100000L));
    SHOW(ulimit(UL_GETFSIZE));
    SHOW(getrlimit(RLIMIT_FSIZE, &limit));
    SHOW(limit.rlim_max);

    SHOW(fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600));
    SHOW(write_at(fd, 0));
    SHOW(write_at(fd, 100000 * 512L));
    SHOW(close(fd));
    SHOW(fcntl(fd, F_GETFD));
    return 0;
}
