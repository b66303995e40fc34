// face: libaio
/* The same as fuse-flush-libaio.c where nothing tells what is mounted but the table of mounts, which is read to learn it: before
   Linux 6.8, without sysfs.

   [F2] The rule: the original closes nothing. A server may upload the file at each flush. [E1] flock(2). */
#include "fuse-flush-mount-unknown.h"
