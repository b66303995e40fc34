// face: libaio
/* An EIO that the file system answers to one fsync is reported to the program by exactly that fsync; it is not tried
   again, and the next one succeeds.

   [F2] io_submit(2): the events carry what read(2) and write(2) would return; fsync(2): an error of earlier writes is
   reported once, so that an fsync that is tried again hides it. */
#include "fuse-fsync-error-once.h"
