// face: posix
// columns: preload threads -- a setting of the library's
/* With URINGAIO_DONTCACHE=1 what is read through the page cache does not stay there; what was there before does. (What is written
   is the file system's to drop when the disk has it: ext4 of Linux 6.18 keeps it until it is read.) On a file system that knows
   nothing of this (tmpfs) everything is as without it.

   [A13] preadv2(2): RWF_DONTCACHE, Linux 6.14. */
#define ONE_REQUEST_POSIX
// unsanitized: valgrind -- it starts itself again by /proc/self/exe, which is Valgrind there
#include "dontcache-setting.h"
