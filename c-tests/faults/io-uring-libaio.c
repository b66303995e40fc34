// face: libaio
// columns: oracle preload engine drop-in -- the engine is chosen by the test itself
// unsanitized: asan tsan -- every call of the process fails in turn, those of the runtime as well
// sleeps: a call that fails makes the library wait, and hundreds of runs one after another do so
/* Every system call that the library makes fails, always or once, with every errno that it documents, on io_uring: no hang,
   no crash, no event lost or doubled, and the program gets an error that it can understand [C5] [C8]. */
#include "libaio-work.h"

int main(int argc, char **argv)
{
    return walk(argc, argv, "auto", NULL, work);
}
