/* A setrlimit that is in the middle when the limit has been set: it calls `limit_was_set` before it returns. */
#include <dlfcn.h>
#include <sys/resource.h>

void (*limit_was_set)(void);

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    int (*next)(__rlimit_resource_t, const struct rlimit *) =
        (int (*)(__rlimit_resource_t, const struct rlimit *))dlsym(RTLD_NEXT, "setrlimit");
    int result = next(resource, limit);

    if (limit_was_set)
        limit_was_set();
    return result;
}
