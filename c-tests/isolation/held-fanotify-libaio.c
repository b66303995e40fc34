// face: libaio
/* A read of a file needs the permission of a fanotify listener in the same process, which does AIO itself before it
   allows the read. Meanwhile other threads' libaio requests are done, and close, dup2, fcntl, munmap and io_destroy
   return.

   [D2] The rule: the kernel's AIO has no thread that requests share; a request that sleeps, sleeps in the io_submit of
   its own thread or nowhere. */
#define PREPARE(fd) (void)0
#include "held-fanotify-libaio.h"
