// face: posix
/* A write to a socket with SO_SNDTIMEO ends when that time is over: with the count of the bytes that were taken, or
   with EAGAIN when none was.

   [F4] socket(7), SO_SNDTIMEO; aio_read(3), aio_write(3): the results are those of read(2) and write(2). */
#define ONE_REQUEST_POSIX
#include "socket-send-timeout.h"
