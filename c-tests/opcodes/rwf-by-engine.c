// face: libaio
/* The same as rwf.c, with URINGAIO_INLINE=never, by which an engine does what the calling thread would do [A13]. */
#define main rwf
#include "rwf.c"
#undef main

int main(int argc, char **argv)
{
    (void)argc;
    if (!getenv("URINGAIO_INLINE")) {
        CHECK(setenv("URINGAIO_INLINE", "never", 1) == 0);
        execv("/proc/self/exe", argv);
        FAIL("exec: errno %d", errno);
    }
    return rwf();
}
