// face: posix
// unsanitized: tsan -- the runtime makes vfork a fork
/* A thread with O_DIRECT requests in flight waits for its vfork child; the requests complete, and other threads'
   aio_suspend with a time limit, aio_cancel, aio_fsync, fcntl(F_SETFL), munmap and close return.

   [D8] The rule: glibc's requests are done by helper threads, so that no call depends on the thread that submitted;
   aio_suspend(3) promises its time limit. */
#include "stuck-posix.h"

int main(void)
{
    check_others(STUCK_IN_VFORK);
}
