// face: libaio
/* A read of a terminal with VMIN 5 and a VTIME that is not over is not done with fewer bytes than 5; it is done with 5.

   [F4] termios(3), noncanonical mode; io_submit(2): the events carry what read(2) and write(2) would return. */
#include "terminal-minimum.h"
