// face: libaio
/* A read of a FIFO that nobody has open for writing ends with 0 at once, also where nobody ever had: the reader's open did not wait
   for a writer (O_NONBLOCK), and the reader turned that off then.

   [F4] fifo(7); pipe_read of fs/pipe.c; io_submit(2): the events carry what read(2) would return. */
#include "fifo-without-writers.h"
