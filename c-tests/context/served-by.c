// face: libaio
/* A context of io_setup belongs to the library that the program runs on: the kernel's own AIO on the system's libaio,
   uringaio otherwise, whose thread does not exist before the first call [C4]. */
#include "iocb.h"
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
    int fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0);
    char *buffer = aligned(4096);
    io_context_t context;
    struct iocb iocb;

    CHECK_INT(named("uringaio"), 0);
    context = make_context(8);
    if (runs_on() != UNDECIDED)
        CHECK_INT(kernels_ring(context), runs_on() == SYSTEM);
    io_prep_pread(&iocb, fd, buffer, 4096, 4096);
    CHECK_INT(outcome(context, &iocb), 4096);
    check_pattern_at(buffer, 4096, 0, 4096);
    if (runs_on() != UNDECIDED)
        CHECK_INT(named("uringaio"), runs_on() == URINGAIO);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
