/* A libaio request that the file server does not answer, and everything else meanwhile. */
#ifndef HELD_BY_FUSE_H
#define HELD_BY_FUSE_H

#include "behaviour.h"
#include "iocb.h"

#include "isolation.h"
#include "fuse-server.h"

/* Submits held.iocb, which the program has prepared and the server holds. It ends with `result` when all the rest was done. */
static inline void held_by_fuse(long long result)
{
    held_start();
    STEP("the request being held");
    WAIT_UNTIL(atomic_load(&fuse->held) > 0);
    rest_of_libaio_works();
    held_is_pending();
    fuse_release();
    held_ends(result);
}

#endif
