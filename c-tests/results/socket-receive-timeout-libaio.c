// face: libaio
/* A read of a socket with SO_RCVTIMEO ends with EAGAIN when that time is over and no byte has come.

   [F4] socket(7), SO_RCVTIMEO; io_submit(2): the events carry what read(2) and write(2) would return. */
#include "socket-receive-timeout.h"
