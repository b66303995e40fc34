// face: posix
/* A read of a terminal ends as VMIN and VTIME say: with 0 bytes at once (0, 0), with 0 bytes after three tenths of a
   second (0, 3), with the bytes that came when no other follows (5, 1).

   [F4] termios(3), noncanonical mode; aio_read(3), aio_write(3): the results are those of read(2) and write(2). */
#define ONE_REQUEST_POSIX
#include "terminal-modes.h"
