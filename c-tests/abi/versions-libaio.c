// face: libaio
/* Every function of libaio 0.3.113 is bound under its version, by dlvsym in the library that the program is linked
   with [A14] [C9]. */
#include "iocb.h"
#include <dlfcn.h>

int main(void)
{
    static const struct {
        const char *name, *version;
    } symbols[] = {{"io_queue_init", "LIBAIO_0.1"}, {"io_queue_run", "LIBAIO_0.1"},  {"io_queue_release", "LIBAIO_0.1"},
                   {"io_submit", "LIBAIO_0.1"},     {"io_cancel", "LIBAIO_0.1"},     {"io_getevents", "LIBAIO_0.1"},
                   {"io_queue_wait", "LIBAIO_0.1"}, {"io_setup", "LIBAIO_0.4"},      {"io_destroy", "LIBAIO_0.4"},
                   {"io_cancel", "LIBAIO_0.4"},     {"io_getevents", "LIBAIO_0.4"},  {"io_queue_wait", "LIBAIO_0.4"},
                   {"io_pgetevents", "LIBAIO_0.5"}};
    void *library = dlopen("libaio.so.1", RTLD_NOW | RTLD_NOLOAD);

    /* With this call the linker keeps the library even if told to leave out what is not needed. */
    CHECK_INT(io_destroy(NULL), -EINVAL);
    if (!library) /* Debian 13 and Ubuntu 24.04 have this name alone. */
        library = dlopen("libaio.so.1t64", RTLD_NOW | RTLD_NOLOAD);
    CHECK(library != NULL);
    for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
        if (!dlvsym(library, symbols[i].name, symbols[i].version))
            FAIL("%s@%s is missing", symbols[i].name, symbols[i].version);
    CHECK(dlvsym(library, "io_cancel", "LIBAIO_0.1") != dlvsym(library, "io_cancel", "LIBAIO_0.4"));
    CHECK(dlvsym(library, "io_getevents", "LIBAIO_0.1") != dlvsym(library, "io_getevents", "LIBAIO_0.4"));
    CHECK(dlsym(library, "io_getevents") == dlvsym(library, "io_getevents", "LIBAIO_0.4"));
    CHECK(dlsym(library, "io_cancel") == dlvsym(library, "io_cancel", "LIBAIO_0.4"));
    CHECK(!dlvsym(library, "io_setup", "LIBAIO_0.1"));
    CHECK(!dlvsym(library, "io_pgetevents", "LIBAIO_0.4"));
    return 0;
}
