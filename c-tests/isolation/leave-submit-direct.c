// face: libaio
/* io_submit of an O_DIRECT read is left in the middle again and again, by siglongjmp out of a signal handler, by
   deferred and by asynchronous cancellation, while another thread does I/O. Afterwards its context takes requests up to
   its size and completes them, and can be destroyed; the other thread's I/O goes on, close, dup2, fcntl and munmap
   work, and exit and _exit end.

   [D7] */
#define CALL "io_submit of an O_DIRECT read"
#define FLAGS O_DIRECT
#define PREPARE io_prep_pread
#include "leave-submit.h"
