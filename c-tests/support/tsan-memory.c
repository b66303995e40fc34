/* What LLVM's ThreadSanitizer calls for copies, and gcc's runtime lacks before gcc 13: preloaded by scripts/sanitize. They tell
   the runtime of the bytes themselves, since it takes no notice of a memcpy called from what was not built with it. */
#include <string.h>

void __tsan_read_range(const void *from, unsigned long bytes);
void __tsan_write_range(void *to, unsigned long bytes);

void *__tsan_memcpy(void *to, const void *from, size_t bytes)
{
    __tsan_read_range(from, bytes);
    __tsan_write_range(to, bytes);
    return memcpy(to, from, bytes);
}

void *__tsan_memmove(void *to, const void *from, size_t bytes)
{
    __tsan_read_range(from, bytes);
    __tsan_write_range(to, bytes);
    return memmove(to, from, bytes);
}

void *__tsan_memset(void *to, int byte, size_t bytes)
{
    __tsan_write_range(to, bytes);
    return memset(to, byte, bytes);
}
