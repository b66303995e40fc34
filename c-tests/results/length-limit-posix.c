// face: posix
/* One request moves at most 0x7ffff000 bytes, to /dev/null, from /dev/zero and from a large file alike, however long it
   is.

   [F5] read(2), write(2): "Linux will transfer at most 0x7ffff000 bytes"; aio_read(3), aio_write(3): the results are
   those of read(2) and write(2). */
#define ONE_REQUEST_POSIX
#include "length-limit.h"
