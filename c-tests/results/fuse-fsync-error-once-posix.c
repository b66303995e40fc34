// face: posix
/* An EIO that the file system answers to one fsync is reported to the program by exactly that fsync; it is not tried
   again, and the next one succeeds.

   [F2] aio_read(3), aio_write(3): the results are those of read(2) and write(2); fsync(2): an error of earlier writes
   is reported once, so that an fsync that is tried again hides it. */
#define ONE_REQUEST_POSIX
#include "fuse-fsync-error-once.h"
