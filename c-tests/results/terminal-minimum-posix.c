// face: posix
/* A read of a terminal with VMIN 5 and a VTIME that is not over is not done with fewer bytes than 5; it is done with 5.

   [F4] termios(3), noncanonical mode; aio_read(3), aio_write(3): the results are those of read(2) and write(2). */
#define ONE_REQUEST_POSIX
#include "terminal-minimum.h"
