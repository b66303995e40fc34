// face: libaio
/* One request moves at most 0x7ffff000 bytes, to /dev/null, from /dev/zero and from a large file alike, however long it
   is.

   [F5] read(2), write(2): "Linux will transfer at most 0x7ffff000 bytes"; io_submit(2): the events carry what read(2)
   and write(2) would return. */
#include "length-limit.h"
