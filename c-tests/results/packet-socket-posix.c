// face: posix
/* A read of a packet socket gets a packet, waits for one first if there is none, and a write sends one: its protocol refuses flags
   of recvmsg(2) that it does not know.

   [F4] packet(7); packet_recvmsg of net/packet/af_packet.c; aio_read(3): the results are those of read(2). */
#define ONE_REQUEST_POSIX
#include "packet-socket.h"
