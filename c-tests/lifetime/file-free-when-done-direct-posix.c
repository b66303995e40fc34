// face: posix
// columns: oracle threads -- known not to hold always: Linux may drop the file of an io_uring request after its completion (docs/limits.md)
/* When the final status of a write is visible and the program has closed the file, the file is free: it can be executed
   (no ETXTBSY), and its flock is free. With O_DIRECT.

   [E1] execve(2), ETXTBSY: a file that is open for writing cannot be executed; flock(2); pipe(7). A program that sees
   its request done and closes the file relies on nobody else having it open. */
#include "file-free-when-done-posix.h"

int main(void)
{
    static const int flags[] = { O_DIRECT };

    run(flags, 1);
    return 0;
}
