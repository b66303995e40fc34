/* A plugin that uses AIO may be loaded, closed and loaded again [C6], from the main thread and from another. */
#include "aiocb.h"
#include "process.h"

#include <dlfcn.h>

static void *load_and_use(void *argument)
{
    for (int i = 0; i < 10; i++) {
        void *plugin = dlopen(PLUGIN, RTLD_NOW | RTLD_LOCAL);

        if (!plugin)
            FAIL("%s", dlerror());
        int (*use)(int) = (int (*)(int))dlsym(plugin, "use_aio");
        CHECK(use);
        CHECK_INT(use(*(int *)argument), 0);
        CHECK_INT(dlclose(plugin), 0);
    }
    return NULL;
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);

    load_and_use(&fd);
    join_thread(start_thread(load_and_use, &fd));
    return 0;
}
