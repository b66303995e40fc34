// face: posix
/* A program that is started under a seccomp filter which kills, traps or refuses the calls of io_uring has its AIO
   done, and its SIGSYS handler does not run.

   [F8] seccomp(2); systemd.exec(5), SystemCallFilter=: kills by default. AIO makes no call of io_uring in the original.
   */
#define ONE_REQUEST_POSIX
#include "io-uring-filtered.h"
