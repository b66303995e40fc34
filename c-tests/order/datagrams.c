/* A read from a datagram or seqpacket socket takes one message, in the order of the calls; a write sends one [B7]. */
#include "aiocb.h"

#define N 30

static void exchange(int type)
{
    int pair[2];
    char in[N][64], text[N][64];
    struct aiocb cb[N];

    MUST(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair));
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(pair[0], in[i], sizeof in[i], 0);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        int length = snprintf(text[i], sizeof text[i], "message %d%.*s", i, i, "..............................");

        CHECK_INT(write(pair[1], text[i], length), length);
    }
    for (int i = 0; i < N; i++) {
        CHECK_DONE(&cb[i], (long long)strlen(text[i]));
        CHECK_INT(memcmp(in[i], text[i], strlen(text[i])), 0);
    }
    for (int i = 0; i < 5; i++) {
        cb[i] = make_cb(pair[0], text[i], strlen(text[i]), 0);
        CHECK_INT(aio_write(&cb[i]), 0);
    }
    for (int i = 0; i < 5; i++) {
        CHECK_INT(read(pair[1], in[i], sizeof in[i]), (long long)strlen(text[i]));
        CHECK_INT(memcmp(in[i], text[i], strlen(text[i])), 0);
        CHECK_DONE(&cb[i], (long long)strlen(text[i]));
    }
}

int main(void)
{
    exchange(SOCK_DGRAM);
    exchange(SOCK_SEQPACKET);
    return 0;
}
