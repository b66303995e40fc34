/* The body of packet-socket-posix.c and packet-socket-libaio.c, which say what it does. */
#include "one-request.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "process.h"

#define OWN_PROTOCOL 0x88b5 /* for local experiments (IEEE 802) */

static pid_t reader;
static int socket_fd;

static void *sends(void *frame)
{
    WAIT_UNTIL(thread_state(getpid(), reader) == 'S');
    CHECK_INT(write(socket_fd, frame, ETH_ZLEN), ETH_ZLEN);
    return NULL;
}

int main(void)
{
    struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(OWN_PROTOCOL) };
    unsigned char frame[ETH_ZLEN] = { [12] = OWN_PROTOCOL >> 8, [13] = OWN_PROTOCOL & 0xff, [14] = 42 }, in[ETH_ZLEN];
    struct ifreq interface = { .ifr_name = "lo" };
    pthread_t thread;

    start_deadline();
    socket_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(OWN_PROTOCOL));
    if (socket_fd == -1)
        SKIP("socket(AF_PACKET): %s", strerror(errno));
    address.sll_ifindex = (int)if_nametoindex("lo");
    if (ioctl(socket_fd, SIOCGIFFLAGS, &interface) == -1 || !(interface.ifr_flags & IFF_UP))
        SKIP("the loopback interface is not up");
    MUST(bind(socket_fd, (struct sockaddr *)&address, sizeof address));

    STEP("a write");
    CHECK_INT(one_request(ONE_WRITE, socket_fd, frame, sizeof frame, 0), ETH_ZLEN);
    STEP("a read of what is there");
    CHECK_INT(one_request(ONE_READ, socket_fd, in, sizeof in, 0), ETH_ZLEN);
    CHECK_INT(in[14], 42);
    while (recv(socket_fd, in, sizeof in, MSG_DONTWAIT) > 0)
        ;
    STEP("a read that waits");
    reader = gettid();
    CHECK_INT(pthread_create(&thread, NULL, sends, frame), 0);
    CHECK_INT(one_request(ONE_READ, socket_fd, in, sizeof in, 0), ETH_ZLEN);
    CHECK_INT(in[14], 42);
    CHECK_INT(pthread_join(thread, NULL), 0);
    return 0;
}
