/* The plugin of plugin.c. */
#include "aiocb.h"

int use_aio(int fd)
{
    char in[10];
    struct aiocb cb = make_cb(fd, in, sizeof in, 0);

    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, sizeof in);
    return is_pattern(in, sizeof in, 1) ? 0 : 1;
}
