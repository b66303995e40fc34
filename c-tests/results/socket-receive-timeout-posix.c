// face: posix
/* A read of a socket with SO_RCVTIMEO ends with EAGAIN when that time is over and no byte has come.

   [F4] socket(7), SO_RCVTIMEO; aio_read(3), aio_write(3): the results are those of read(2) and write(2). */
#define ONE_REQUEST_POSIX
#include "socket-receive-timeout.h"
