// face: libaio
/* A read of a datagram socket ends with 0 when the program shuts the socket down for reading, before it or while it waits.

   [F4] shutdown(2); __skb_wait_for_more_packets of net/core/datagram.c; io_submit(2): the events carry what read(2) would return. */
#include "datagram-shut-down.h"
