// face: posix
/* A thread with O_DIRECT requests in flight has blocked every signal by the raw call, the C library's 32 and 33 as
   well, and sleeps in read(2); the requests complete, and other threads' aio_suspend with a time limit, aio_cancel,
   aio_fsync, fcntl(F_SETFL), munmap and close return.

   [D8] The rule: glibc's requests are done by helper threads, so that no call depends on the thread that submitted;
   aio_suspend(3) promises its time limit. */
#include "stuck-posix.h"

int main(void)
{
    check_others(STUCK_SIGNAL_33);
}
