// face: libaio
/* A write to a socket with SO_SNDTIMEO ends when that time is over: with the count of the bytes that were taken, or
   with EAGAIN when none was.

   [F4] socket(7), SO_SNDTIMEO; io_submit(2): the events carry what read(2) and write(2) would return. */
#include "socket-send-timeout.h"
