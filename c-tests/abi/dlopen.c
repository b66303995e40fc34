// face: libaio
/* A program that finds libaio by dlopen and dlsym alone gets a working set of functions [A14]. */
#include "iocb.h"
#include <dlfcn.h>

int main(void)
{
    void *library = dlopen("libaio.so.1", RTLD_NOW | RTLD_LOCAL);
    int (*setup)(int, io_context_t *), (*destroy)(io_context_t), (*submit)(io_context_t, long, struct iocb **);
    int (*getevents)(io_context_t, long, long, struct io_event *, struct timespec *);
    int (*cancel)(io_context_t, struct iocb *, struct io_event *);
    int fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0), ends[2];
    char *buffer = aligned(4096);
    struct iocb iocb, *list = &iocb;
    io_context_t context = NULL;
    struct io_event event;

    if (!library) /* Debian 13 and Ubuntu 24.04 have this name alone. */
        library = dlopen("libaio.so.1t64", RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL);
    CHECK(pipe(ends) == 0);
    setup = (__typeof__(setup))dlsym(library, "io_setup");
    destroy = (__typeof__(destroy))dlsym(library, "io_destroy");
    submit = (__typeof__(submit))dlsym(library, "io_submit");
    getevents = (__typeof__(getevents))dlsym(library, "io_getevents");
    cancel = (__typeof__(cancel))dlsym(library, "io_cancel");
    CHECK(setup && destroy && submit && getevents && cancel);
    CHECK_INT(setup(8, &context), 0);
    for (int i = 0; i < 100; i++) {
        io_prep_pread(&iocb, fd, buffer, 4096, i % 16 * 4096);
        CHECK_INT(submit(context, 1, &list), 1);
        CHECK_INT(getevents(context, 1, 1, &event, NULL), 1);
        CHECK_INT((long)event.res, 4096);
        check_pattern_at(buffer, 4096, 0, i % 16 * 4096);
    }
    io_prep_poll(&iocb, ends[0], POLLIN);
    CHECK_INT(submit(context, 1, &list), 1);
    CHECK_INT(cancel(context, &iocb, &event), -EINPROGRESS);
    CHECK_INT(getevents(context, 1, 1, &event, NULL), 1);
    CHECK_INT(destroy(context), 0);
    CHECK_INT(destroy(context), -EINVAL);
    return 0;
}
