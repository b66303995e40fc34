// face: posix
/* A read of a datagram socket ends with 0 when the program shuts the socket down for reading, before it or while it waits.

   [F4] shutdown(2); __skb_wait_for_more_packets of net/core/datagram.c; aio_read(3): the results are those of read(2). */
#define ONE_REQUEST_POSIX
#include "datagram-shut-down.h"
