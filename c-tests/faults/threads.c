// columns: oracle preload -- the engine is chosen by the test itself
// unsanitized: asan tsan -- every call of the process fails in turn, those of the runtime as well
// sleeps: a call that fails makes the library wait, and hundreds of runs one after another do so
/* Every system call that the library makes fails, always or once, with every errno that it documents, on the thread engine:
   no hang, no crash, no request lost or ended twice, and the program gets an error that it can understand [C5] [C8]. */
#include "posix-work.h"

int main(int argc, char **argv)
{
    return walk(argc, argv, "threads", NULL, work);
}
