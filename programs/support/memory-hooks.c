/* Reads into memory that is unmapped at once, while UCX's hooks watch the program's memory, as they do under Open MPI with
   RDMA: they overwrite the first instructions of mmap, munmap and mremap. Ends with 77 without UCX. */
#include <dlfcn.h>
#include <fcntl.h>
#include <libaio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define UNMAPPED (1 << 17) /* UCM_EVENT_VM_UNMAPPED */
#define SIZE 65536
#define ROUNDS 1000

static int unmapped;

static void count(int type, void *event, void *unused)
{
    (void)event;
    (void)unused;
    unmapped += type == UNMAPPED;
}

int main(int argc, char **argv)
{
    int (*watch)(int, int, void (*)(int, void *, void *), void *) = NULL;
    int fd = open(argv[argc - 1], O_RDONLY | O_DIRECT);
    io_context_t context = NULL;

    if (dlopen("libucp.so.0", RTLD_NOW | RTLD_GLOBAL)) {
        void *hooks = dlopen("libucm.so.0", RTLD_NOW);

        if (hooks)
            *(void **)&watch = dlsym(hooks, "ucm_set_event_handler");
    }
    if (!watch)
        return 77;
    if (fd == -1 || watch(UNMAPPED, 0, count, NULL) != 0 || io_setup(4, &context) != 0) {
        perror("set-up");
        return 1;
    }
    unmapped = 0;
    for (int i = 0; i < ROUNDS; i++) {
        void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        struct iocb iocb, *list[] = { &iocb };
        struct io_event event;

        io_prep_pread(&iocb, fd, memory, SIZE, 0);
        if (io_submit(context, 1, list) != 1 || munmap(memory, SIZE) != 0)
            return 1;
        if (io_getevents(context, 1, 1, &event, NULL) != 1 || event.res != SIZE) {
            fprintf(stderr, "round %d: %ld\n", i, (long)event.res);
            return 1;
        }
    }
    printf("%d seen of %d\n", unmapped, ROUNDS);
    return unmapped < ROUNDS || io_destroy(context) != 0;
}
