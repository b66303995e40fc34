// face: libaio
/* A process in the background that ignores SIGTTIN and SIGTTOU reads its controlling terminal: EIO at once, and a write is done.

   [F4] termios(3), job control; io_submit(2): the events carry what read(2) and write(2) would return. */
#include "terminal-background.h"
