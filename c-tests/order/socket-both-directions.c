/* The two directions of a socket do not wait for each other: a read without data does not delay a write on the same
   descriptor, nor a blocked write a read [B7]. */
// oracle-deadline: 2
#include "aiocb.h"

int main(void)
{
    int pair[2];
    char in[16] = { 0 }, answer[16] = { 0 };
    static char big[4 << 20];

    make_stream_pair(pair);
    struct aiocb read_cb = make_cb(pair[0], in, 5, 0), write_cb = make_cb(pair[0], "question", 8, 0);

    CHECK_INT(aio_read(&read_cb), 0);
    CHECK_INT(aio_write(&write_cb), 0);
    CHECK_DONE(&write_cb, 8);
    CHECK_PENDING(&read_cb);
    read_whole(pair[1], answer, 8);
    CHECK_INT(memcmp(answer, "question", 8), 0);
    CHECK_INT(write(pair[1], "reply", 5), 5);
    CHECK_DONE(&read_cb, 5);
    CHECK_INT(memcmp(in, "reply", 5), 0);

    write_cb = make_cb(pair[0], big, sizeof big, 0);
    CHECK_INT(aio_write(&write_cb), 0);
    CHECK_INT(write(pair[1], "early", 5), 5);
    read_cb = make_cb(pair[0], in, 5, 0);
    CHECK_INT(aio_read(&read_cb), 0);
    CHECK_DONE(&read_cb, 5);
    CHECK_INT(memcmp(in, "early", 5), 0);
    CHECK_PENDING(&write_cb);
    char *all = malloc(sizeof big);
    read_whole(pair[1], all, sizeof big);
    CHECK_DONE(&write_cb, sizeof big);
    return 0;
}
