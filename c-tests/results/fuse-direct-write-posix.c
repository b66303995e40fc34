// face: posix
/* A write to a FUSE file with direct I/O of which the server takes a part has the count that pwrite gives; its bytes
   are written once, at their place, by as many requests to the server.

   [F3] aio_read(3), aio_write(3): the results are those of read(2) and write(2). io_uring goes on after a short answer
   without having moved the position. */
#define ONE_REQUEST_POSIX
#include "fuse-direct-write.h"
