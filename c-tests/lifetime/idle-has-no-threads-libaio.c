// face: libaio
/* When no request has been in flight for a few seconds, the process has only its own threads: unshare(CLONE_NEWUSER)
   and setns(2) to a user or a mount namespace work. Requests afterwards are done.

   [E4] unshare(2), setns(2): EINVAL in a process with more than one thread. glibc's helper threads leave after a second
   (aio_idle_time); the kernel's AIO has none. */
#include "idle-has-no-threads.h"
