// face: posix
/* Requests on a file whose server has something to do at each close of a descriptor (FUSE_FLUSH): it is not asked to as long as
   the program has its descriptor. After close(2) the file is free.

   [F2] The rule: the original closes nothing. A server may upload the file at each flush. [E1] flock(2). */
#define ONE_REQUEST_POSIX
#include "fuse-flush.h"
