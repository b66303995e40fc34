/* A context of io_setup belongs to the library that the program runs on: the kernel's own AIO on the system's libaio,
 * uringaio otherwise, whose thread does not exist before the first call (C4). */
#include "libaio-test.h"
#include <dirent.h>

/* Threads of this process with that name. */
static int named(const char *name)
{
    DIR *directory = opendir("/proc/self/task");
    struct dirent *entry;
    int count = 0;

    CHECK(directory != NULL);
    while ((entry = readdir(directory))) {
        char path[300], text[32] = "";
        FILE *file;

        snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
        file = fopen(path, "re");
        if (file && fgets(text, sizeof(text), file)) {
            text[strcspn(text, "\n")] = 0;
            count += strcmp(text, name) == 0;
        }
        if (file)
            fclose(file);
    }
    closedir(directory);
    return count;
}

int main(void)
{
    int fd = scratch(O_RDWR | O_DIRECT, 65536);
    char *buffer = aligned(4096);
    io_context_t context;
    struct iocb iocb;

    EQ(named("uringaio"), 0);
    context = context_of(8);
    if (runs_on() != UNDECIDED)
        EQ(kernels_ring(context), runs_on() == SYSTEM);
    io_prep_pread(&iocb, fd, buffer, 4096, 4096);
    EQ(outcome(context, &iocb), 4096);
    check_bytes(buffer, 4096, 4096);
    if (runs_on() != UNDECIDED)
        EQ(named("uringaio"), runs_on() == URINGAIO);
    EQ(io_destroy(context), 0);
    return 0;
}
