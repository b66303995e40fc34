/* Two connected TCP sockets on the loopback interface. */
#ifndef TCP_PAIR_H
#define TCP_PAIR_H

#include <netinet/in.h>

#include "behaviour.h"

static inline void tcp_pair(int ends[2])
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int listener = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

    if (bind(listener, (struct sockaddr *)&address, sizeof address) == -1)
        SKIP("no loopback interface: %s", strerror(errno));
    MUST(listen(listener, 1));
    MUST(getsockname(listener, (struct sockaddr *)&address, &length));
    ends[1] = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    MUST(connect(ends[1], (struct sockaddr *)&address, sizeof address));
    ends[0] = MUST(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
    close(listener);
}

#endif
