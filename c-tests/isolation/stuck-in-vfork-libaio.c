// face: libaio
// unsanitized: tsan -- the runtime makes vfork a fork
/* A thread with O_DIRECT requests in flight waits for its vfork child; the requests complete, and other threads'
   io_getevents (time limits {0,0} and {2,0}), fcntl(F_SETFL), munmap, close and io_destroy return.

   [D8] The rule: a context of Linux AIO belongs to no thread; its requests complete by interrupts and work queues
   (fs/aio.c), and io_getevents(2) promises its time limit whatever other threads do. */
#include "stuck-libaio.h"

int main(void)
{
    check_others(STUCK_IN_VFORK);
}
