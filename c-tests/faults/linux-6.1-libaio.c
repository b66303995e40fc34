// face: libaio
// columns: oracle preload -- the engine is chosen by the test itself
// unsanitized: asan tsan -- every call of the process fails in turn, those of the runtime as well
// sleeps: a call that fails makes the library wait, and hundreds of runs one after another do so
/* Every system call that the library makes fails, always or once, with every errno that it documents, on io_uring as it is
   on Linux 6.1: no hang, no crash, no event lost or doubled, and the program gets an error that it can understand [C5]
   [C8]. */
#include "libaio-work.h"

static void prepare(void)
{
    as_on(&before_6_3);
    as_on(&before_6_7);
}

int main(int argc, char **argv)
{
    return walk(argc, argv, "auto", prepare, work);
}
