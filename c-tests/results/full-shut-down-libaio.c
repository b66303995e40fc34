// face: libaio
/* A write waits for room in a Unix socket, which is shut down: for writing at its own end, or for reading at the other. It ends with
   EPIPE, although poll(2) tells of neither.

   [F4] shutdown(2); unix_stream_sendmsg and unix_poll of net/unix/af_unix.c; io_submit(2): the events carry what write(2) would
   return. */
#include "full-shut-down.h"
