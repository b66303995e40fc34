// face: libaio
// columns: oracle preload drop-in threads -- the column engine keeps O_DIRECT away from the kernel's AIO
/* A read from a FUSE file with direct I/O that ends before its size, at the end of the file or because the server gives
   less, has the count and the bytes that pread gives, and asks the server once.

   [F3] io_submit(2): the events carry what read(2) and write(2) would return. io_uring goes on after a short answer
   without having moved the position. */
#include "fuse-direct-read.h"
