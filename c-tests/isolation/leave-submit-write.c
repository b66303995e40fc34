// face: libaio
/* io_submit of a buffered write is left in the middle again and again, by siglongjmp out of a signal handler, by
   deferred and by asynchronous cancellation, while another thread does I/O. Afterwards its context takes requests up to
   its size and completes them, and can be destroyed; the other thread's I/O goes on, close, dup2, fcntl and munmap
   work, and exit and _exit end.

   [D7] */
#define CALL "io_submit of a buffered write"
#define FLAGS 0
#define PREPARE io_prep_pwrite
#include "leave-submit.h"
