// face: libaio
/* The same as all.c, with URINGAIO_RAW=1, by which a program that makes its contexts by system calls opts in [A2]. */
#define main all
#include "all.c"
#undef main

int main(int argc, char **argv)
{
    (void)argc;
    if (!getenv("URINGAIO_RAW")) {
        CHECK(setenv("URINGAIO_RAW", "1", 1) == 0);
        execv("/proc/self/exe", argv);
        FAIL("exec: errno %d", errno);
    }
    return all();
}
