/* The library of constructor.c: uses AIO when it is loaded and when it is unloaded. */
#include "aiocb.h"

static struct aiocb left;
static char left_in;
static int ends[2];

static void use_aio(void)
{
    struct aiocb cb = make_cb(temp_file(O_RDWR), "constructor", 11, 0);

    CHECK_INT(aio_write(&cb), 0);
    CHECK_DONE(&cb, 11);
}

__attribute__((constructor(101))) static void at_load(void)
{
    use_aio();
    make_pipe(ends);
    left = make_cb(ends[0], &left_in, 1, 0);
    CHECK_INT(aio_read(&left), 0);
}

__attribute__((destructor(101))) static void at_unload(void)
{
    use_aio();
}

int constructed(struct aiocb **cb, char **in)
{
    *cb = &left;
    *in = &left_in;
    return ends[1];
}
