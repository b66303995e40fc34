// face: libaio
// columns: oracle preload engine threads without -- POSIX AIO is not the drop-in's
// oracle-deadline: 20
/* aio_write of a file is left in the middle again and again, by siglongjmp out of a signal handler, by deferred and
   by asynchronous cancellation, while another thread does I/O. Afterwards every call but those of POSIX AIO works: the
   other thread's I/O by libaio, close, dup2, fcntl and munmap, exit and _exit.

   [D7] The rule: POSIX does not list the call among the async-signal-safe functions, so that a jump out of it may leave
   POSIX AIO itself unusable (in glibc, with its lock held). But nothing else of the process depends on it in the
   original: descriptors, memory, contexts of libaio and the end of the process. */
#define CALL "aio_write"
#define FLAGS 0
#define SUBMIT aio_write
#include "leave-aio-transfer.h"
