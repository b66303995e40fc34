// face: libaio
// columns: oracle preload engine threads without -- the drop-in alone does not see fanotify_init
/* A read of what is not in the page cache needs the permission of a fanotify listener in the same process. It is asked once, as
   for a plain read: a second question, which it does not answer, would hold the request for ever. Meanwhile other threads'
   libaio requests are done, and close, dup2, fcntl, munmap and io_destroy return.

   [D2] The rule: fanotify(7), FAN_ACCESS_PERM: one question for each read. */
#define PREPARE(fd) (MUST(fdatasync(fd)), MUST(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED)))
#include "held-fanotify-libaio.h"
