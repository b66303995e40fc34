/* The constructor of another library may make the first call, before main and before our own constructors [C6]. */
#include "aiocb.h"

extern int constructed(struct aiocb **cb, char **in);

int main(void)
{
    struct aiocb *cb;
    char *in;
    int write_end = constructed(&cb, &in);

    /* A request that the constructor left in flight. */
    CHECK_PENDING(cb);
    CHECK_INT(write(write_end, "x", 1), 1);
    CHECK_DONE(cb, 1);
    CHECK_INT(*in, 'x');
    struct aiocb own = make_cb(temp_file(O_RDWR), "abc", 3, 0);
    CHECK_INT(aio_write(&own), 0);
    CHECK_DONE(&own, 3);
    return 0;
}
