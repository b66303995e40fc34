// face: libaio
// build: -ldl
// columns: oracle preload engine threads without -- the preloaded copy is the one that sees what the program closes
/* Two copies of the library in one process, the preloaded one and the drop-in that a plugin brings along: each serves its
   own contexts, through close, fork and exit, and knows nothing of the other's [C6]. */
#include "iocb.h"
#include <dlfcn.h>
#include <link.h>

static char path[PATH_MAX];

/* The drop-in, by where the preloaded one is: target/release/liburingaio.so, target/libaio/libaio.so.1. */
static int find_other(struct dl_phdr_info *object, size_t size, void *unused)
{
    const char *found;

    (void)size, (void)unused;
    if ((found = strstr(object->dlpi_name, "/release/liburingaio.so")))
        snprintf(path, sizeof path, "%.*s/libaio/libaio.so.1", (int)(found - object->dlpi_name), object->dlpi_name);
    return 0;
}

struct copy {
    int (*setup)(int, io_context_t *);
    int (*destroy)(io_context_t);
    int (*submit)(io_context_t, long, struct iocb **);
    int (*getevents)(io_context_t, long, long, struct io_event *, struct timespec *);
};

static int fd;

static void use(const struct copy *copy, io_context_t context, char *buffer)
{
    struct iocb iocbs[4], *list[4];
    struct io_event events[4];

    for (int round = 0; round < 50; round++) {
        int again = dup(fd), ended = 0;

        CHECK(again >= 0);
        for (int i = 0; i < 4; i++) {
            io_prep_pread(&iocbs[i], again, buffer + i * 4096, 4096, (round + i) % 16 * 4096);
            list[i] = &iocbs[i];
        }
        CHECK_INT(copy->submit(context, 4, list), 4);
        /* The request holds the file by now, so its number may be closed. */
        CHECK(close(again) == 0);
        while (ended < 4) {
            int got = copy->getevents(context, 1, 4 - ended, events + ended, NULL);
            CHECK(got > 0);
            ended += got;
        }
        for (int i = 0; i < 4; i++) {
            CHECK_INT((long)events[i].res, 4096);
            check_pattern_at(buffer + i * 4096, 4096, 0, (round + i) % 16 * 4096);
        }
    }
}

static void *use_one(void *argument)
{
    const struct copy *copy = argument;
    io_context_t context = NULL;

    for (int i = 0; i < 5; i++) {
        CHECK_INT(copy->setup(16, &context), 0);
        use(copy, context, aligned(4 * 4096));
        CHECK_INT(copy->destroy(context), 0);
        context = NULL;
    }
    return NULL;
}

int main(void)
{
    struct copy own = { io_setup, io_destroy, io_submit, io_getevents }, other;
    io_context_t first = NULL, second = NULL;
    pthread_t threads[2];

    fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0);
    dl_iterate_phdr(find_other, NULL);
    if (path[0] == 0)
        return 0;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        SKIP("%s", dlerror());
    other.setup = (__typeof__(other.setup))dlsym(library, "io_setup");
    other.destroy = (__typeof__(other.destroy))dlsym(library, "io_destroy");
    other.submit = (__typeof__(other.submit))dlsym(library, "io_submit");
    other.getevents = (__typeof__(other.getevents))dlvsym(library, "io_getevents", "LIBAIO_0.4");
    if (!other.getevents)
        other.getevents = (__typeof__(other.getevents))dlsym(library, "io_getevents");
    CHECK(other.setup && other.destroy && other.submit && other.getevents && other.setup != own.setup);

    CHECK(pthread_create(&threads[0], NULL, use_one, &own) == 0);
    CHECK(pthread_create(&threads[1], NULL, use_one, &other) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);

    CHECK_INT(own.setup(16, &first), 0);
    CHECK_INT(other.setup(16, &second), 0);
    if (runs_on() == URINGAIO) {
        struct iocb iocb, *list = &iocb;

        io_prep_pread(&iocb, fd, aligned(4096), 4096, 0);
        CHECK_INT(own.submit(second, 1, &list), -EINVAL);
        CHECK_INT(other.submit(first, 1, &list), -EINVAL);
    }
    pid_t child = fork();
    if (child == 0) {
        use_one(&other);
        use_one(&own);
        _exit(0);
    }
    CHECK_CHILD(child, 0);
    use(&own, first, aligned(4 * 4096));
    use(&other, second, aligned(4 * 4096));
    CHECK_INT(other.destroy(second), 0);
    CHECK_INT(own.destroy(first), 0);
    CHECK_INT(dlclose(library), 0);
    return 0;
}
