// face: libaio
/* A write to a FUSE file with direct I/O of which the server takes a part has the count that pwrite gives; its bytes
   are written once, at their place, by as many requests to the server.

   [F3] io_submit(2): the events carry what read(2) and write(2) would return. io_uring goes on after a short answer
   without having moved the position. */
#include "fuse-direct-write.h"
