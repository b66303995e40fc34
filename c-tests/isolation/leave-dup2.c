// face: libaio
// columns: oracle preload -- ten thousand rounds; the other columns share the code that is left
/* dup2 over a descriptor with requests in flight is left in the middle ten thousand times, by siglongjmp out of a
   signal handler, by deferred and by asynchronous cancellation, while another thread does I/O. Afterwards every context
   can be destroyed, the other thread's I/O goes on, close, dup2, fcntl and munmap work, and exit and _exit end.

   [D7] The rule: POSIX lists the call among the async-signal-safe functions, so that a handler may interrupt it
   anywhere and leave; afterwards the call has happened or it has not, and nothing else of the process is touched. */
#define CALL "dup2"
#include "leave-descriptor.h"

static void armed(void)
{
    dup2(state.file, state.fd);
}

static void close_number(int left)
{
    (void)left;
    MUST(close(state.fd));
}
