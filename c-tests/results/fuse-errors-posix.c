// face: posix
/* An error that the file system itself answers to a read, a write or an fsync is passed to the program after a few
   requests to the server at most: EAGAIN and EIO; and the next request succeeds as soon as the server does.

   [F2] aio_read(3), aio_write(3): the results are those of read(2) and write(2). */
#define ONE_REQUEST_POSIX
#define ERRORS { EAGAIN, EIO }
#include "fuse-errors.h"
