// face: libaio
/* The same as fuse-flush-libaio.c in a program that has another thread, before Linux 6.8: what tells that the file is a server's is
   sysfs.

   [F2] The rule: the original closes nothing. A server may upload the file at each flush. [E1] flock(2). */
#include "fuse-flush-beside-threads.h"
