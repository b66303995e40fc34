// face: posix
/* A read from a FUSE file with direct I/O that ends before its size, at the end of the file or because the server gives
   less, has the count and the bytes that pread gives, and asks the server once.

   [F3] aio_read(3), aio_write(3): the results are those of read(2) and write(2). io_uring goes on after a short answer
   without having moved the position. */
#define ONE_REQUEST_POSIX
#include "fuse-direct-read.h"
