// face: libaio
/* A program that has used AIO sets a seccomp filter which kills, traps or refuses the calls of io_uring, and goes on:
   its AIO is done as before, and its SIGSYS handler does not run.

   [F8] seccomp(2): sandboxes lock themselves in after their start. AIO makes no call of io_uring in the original. */
#include "io-uring-filtered-later.h"
