// columns: oracle preload threads -- it takes long
/* The same as file-free-when-done-posix.c, with URINGAIO_INLINE=never, by which an engine does what the calling thread would
   do [E1]. */
#define main file_free_when_done
#include "file-free-when-done-posix.c"
#undef main

int main(int argc, char **argv)
{
    (void)argc;
    if (!getenv("URINGAIO_INLINE")) {
        MUST(setenv("URINGAIO_INLINE", "never", 1));
        execv("/proc/self/exe", argv);
        FAIL("exec: %s", strerror(errno));
    }
    return file_free_when_done();
}
