// face: posix
/* A process in the background reads its controlling terminal: EIO at once, and a write is done, where a thread that blocks SIGTTIN and
   SIGTTOU does them, or a program that ignores these (glibc's threads block all signals).

   [F4] termios(3), job control; aio_read(3), aio_write(3): the results are those of read(2) and write(2). */
#define ONE_REQUEST_POSIX
#include "terminal-background.h"
