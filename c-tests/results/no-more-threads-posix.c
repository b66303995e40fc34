// face: posix
// columns: oracle preload drop-in threads -- it takes long
/* A process that may make no more threads (RLIMIT_NPROC, not root), after its first request, still has its fsyncs,
   reads and writes done, on a disk file and on one that a file server holds; none ends with ECANCELED.

   [F1] fsync(2), and the errors of aio_error(3): ECANCELED comes of a cancellation. A database takes it for a lost
   write. Linux makes a worker of io_uring only within RLIMIT_NPROC, and ends the request with ECANCELED otherwise. */
#define ONE_REQUEST_POSIX
#include "no-more-threads.h"
