// face: libaio
/* A read of a packet socket gets a packet, waits for one first if there is none, and a write sends one: its protocol refuses flags
   of recvmsg(2) that it does not know.

   [F4] packet(7); packet_recvmsg of net/packet/af_packet.c; io_submit(2): the events carry what read(2) would return. */
#include "packet-socket.h"
