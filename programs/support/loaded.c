/* loaded LIBRARY [namespace] [EATER…]: loads the library by dlopen, or by dlmopen into a namespace of its own, and reads this
   program's file by it, by both interfaces. Each EATER is loaded first, as long as one can be: they use up the room for static
   thread-local storage. */
#include <aio.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libaio.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s: not true: %s\n", argv[0], #condition);                                                \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static atomic_int called;

static void callback(union sigval unused)
{
    (void)unused;
    atomic_store(&called, 1);
}

int main(int argc, char **argv)
{
    static char by_posix[4096] __attribute__((aligned(4096))), by_libaio[4096] __attribute__((aligned(4096)));
    int in_namespace = argc > 2 && strcmp(argv[2], "namespace") == 0, eaten = 0, fd = open(argv[0], O_RDONLY);
    void *library;

    MUST(argc > 1 && fd >= 0);
    for (int i = 2 + in_namespace; i < argc && dlopen(argv[i], RTLD_NOW); i++)
        eaten++;
    if (argc > 2 + in_namespace) {
        printf("room for %d of %d\n", eaten, argc - 2 - in_namespace);
        MUST(eaten < argc - 2 - in_namespace);
    }
    library = in_namespace ? dlmopen(LM_ID_NEWLM, argv[1], RTLD_NOW) : dlopen(argv[1], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }

    __typeof__(aio_read) *read_it = dlsym(library, "aio_read");
    __typeof__(aio_error) *error_of = dlsym(library, "aio_error");
    __typeof__(aio_return) *result_of = dlsym(library, "aio_return");
    __typeof__(aio_suspend) *suspend = dlsym(library, "aio_suspend");
    __typeof__(io_setup) *set_up = dlsym(library, "io_setup");
    __typeof__(io_submit) *submit = dlsym(library, "io_submit");
    __typeof__(io_getevents) *get_events = dlsym(library, "io_getevents");
    __typeof__(io_destroy) *destroy = dlsym(library, "io_destroy");
    int (*engine)(void) = dlsym(library, "uringaio_engine");
    struct aiocb cb = { .aio_fildes = fd, .aio_buf = by_posix, .aio_nbytes = sizeof by_posix };
    const struct aiocb *cbs[] = { &cb };
    io_context_t context = NULL;
    struct iocb iocb, *iocbs[] = { &iocb };
    struct io_event event;
    ssize_t size;

    MUST(read_it && error_of && result_of && suspend && set_up && submit && get_events && destroy && engine);
    cb.aio_sigevent.sigev_notify = SIGEV_THREAD;
    cb.aio_sigevent.sigev_notify_function = callback;
    MUST(read_it(&cb) == 0);
    while (error_of(&cb) == EINPROGRESS)
        suspend(cbs, 1, NULL);
    size = result_of(&cb);
    MUST(size > 0 && memcmp(by_posix, "\177ELF", 4) == 0);
    while (!atomic_load(&called))
        usleep(1000);
    MUST(set_up(4, &context) == 0);
    io_prep_pread(&iocb, fd, by_libaio, sizeof by_libaio, 0);
    MUST(submit(context, 1, iocbs) == 1);
    MUST(get_events(context, 1, 1, &event, NULL) == 1);
    MUST((ssize_t)event.res == size && memcmp(by_posix, by_libaio, size) == 0);
    MUST(destroy(context) == 0);
    MUST(engine() != 0);
    puts("served");
    return 0;
}
