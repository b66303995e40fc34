// face: libaio
/* A program is started under a filter that lists what is allowed and ends it for anything else, by a service manager that
   is older than the kernel: calls that came with newer kernels are not on the list. Its AIO is done [F8].

   systemd.exec(5), SystemCallFilter=: @system-service of systemd 252 does not have statmount(2), of Linux 6.8. */
#include "newer-calls-filtered.h"
