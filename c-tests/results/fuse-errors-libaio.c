// face: libaio
/* An error that the file system itself answers to a read, a write or an fsync is passed to the program after a few
   requests to the server at most: EAGAIN, EIO and EINTR; and the next request succeeds as soon as the server does.

   [F2] io_submit(2): the events carry what read(2) and write(2) would return. */
#define ERRORS { EAGAIN, EIO, EINTR }
#include "fuse-errors.h"
