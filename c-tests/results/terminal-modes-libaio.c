// face: libaio
/* A read of a terminal ends as VMIN and VTIME say: with 0 bytes at once (0, 0), with 0 bytes after three tenths of a
   second (0, 3), with the bytes that came when no other follows (5, 1).

   [F4] termios(3), noncanonical mode; io_submit(2): the events carry what read(2) and write(2) would return. */
#include "terminal-modes.h"
