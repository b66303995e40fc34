// face: libaio
/* AIO puts nothing into the descriptor table that the program can see, count or close by mistake [C2] (LVM and daemons
   close stray descriptors). */
#include "iocb.h"
#include <dirent.h>

static void list(char *seen)
{
    DIR *directory = opendir("/proc/self/fd");
    struct dirent *entry;

    memset(seen, 0, 1024);
    CHECK(directory != NULL);
    while ((entry = readdir(directory)))
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(directory)) {
            CHECK(atoi(entry->d_name) < 1024);
            seen[atoi(entry->d_name)] = 1;
        }
    closedir(directory);
}

static void io(io_context_t context, int fd, char *buffer)
{
    struct iocb iocbs[8], *several[8];
    struct io_event events[8];

    for (int i = 0; i < 8; i++) {
        several[i] = &iocbs[i];
        io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, i * 4096);
    }
    CHECK_INT(io_submit(context, 8, several), 8);
    reap(context, 8, events);
    for (int i = 0; i < 8; i++)
        CHECK_INT((long)events[i].res, 4096);
}

int main(void)
{
    static char before[1024], during[1024], after[1024];
    int fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0), lowest;
    char *buffer = aligned(8 * 4096);
    io_context_t context;

    list(before);
    context = make_context(64);
    io(context, fd, buffer);
    list(during);
    CHECK(memcmp(before, during, 1024) == 0);
    lowest = dup(0);
    CHECK(!before[lowest]);
    /* As daemons do: close everything that is not known. AIO goes on. */
    for (int i = 3; i < 1024; i++)
        if (i != fd)
            close(i);
    io(context, fd, buffer);
    CHECK_INT(io_destroy(context), 0);
    context = make_context(64);
    io(context, fd, buffer);
#ifdef SYS_close_range
    CHECK(dup2(fd, 900) == 900);
    CHECK(syscall(SYS_close_range, 3L, 899L, 0L) == 0 || errno == ENOSYS);
    CHECK(syscall(SYS_close_range, 901L, (long)~0U, 0L) == 0 || errno == ENOSYS);
    fd = 900;
    io(context, fd, buffer);
#endif
    CHECK_INT(io_destroy(context), 0);
    list(after);
    for (int i = 3; i < 1024; i++)
        CHECK(after[i] == (i == fd));
    return 0;
}
