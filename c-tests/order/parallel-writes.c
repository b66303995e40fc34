/* Writes without O_APPEND on one descriptor need not wait for each other [B7]. Sixteen are started behind one that
   cannot end. */
// oracle-deadline: 2
#include "aiocb.h"
#include "fuse-server.h"

#include <sys/utsname.h>

#define N 16

int main(void)
{
    char bytes[4096] = { 0 };
    struct aiocb cb[N];

    fuse_start(1 << 17, 1);
    fuse_open_directly();
    int fd = fuse_open("a", O_RDWR);
    struct aiocb first = make_cb(fd, bytes, sizeof bytes, 0);

    /* FUSE has FOPEN_PARALLEL_DIRECT_WRITES since 6.2; before it the kernel writes one after another. */
    struct utsname system;
    int major = 0, minor = 0;

    MUST(uname(&system));
    CHECK_INT(sscanf(system.release, "%d.%d", &major, &minor), 2);
    if (major < 6 || (major == 6 && minor < 4))
        SKIP("Linux %s does not write to one FUSE file in parallel", system.release);

    fuse_hold(FUSE_HOLD_WRITES | FUSE_HOLD_AT_ZERO);
    CHECK_INT(aio_write(&first), 0);
    WAIT_UNTIL(atomic_load(&fuse->writes) == 1);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(fd, bytes, sizeof bytes, 4096 * (i + 1));
        CHECK_INT(aio_write(&cb[i]), 0);
    }
    for (int i = 0; i < N; i++)
        CHECK_DONE(&cb[i], sizeof bytes);
    CHECK_PENDING(&first);
    fuse_release();
    CHECK_DONE(&first, sizeof bytes);
    return 0;
}
