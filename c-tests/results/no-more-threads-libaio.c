// face: libaio
// columns: oracle preload drop-in threads -- it takes long
/* A process that may make no more threads (RLIMIT_NPROC, not root), after its first request, still has its fsyncs,
   reads and writes done, on a disk file and on one that a file server holds; none ends with ECANCELED.

   [F1] fsync(2), and the errors of io_getevents(2): ECANCELED comes of a cancellation. A database takes it for a lost
   write. Linux makes a worker of io_uring only within RLIMIT_NPROC, and ends the request with ECANCELED otherwise. */
#include "one-request.h"

#include <sys/resource.h>

#include "fuse-server.h"

#define ROUNDS 50

int main(void)
{
    unsigned char *buffer;
    int file, direct, served;

    start_deadline();
    if (geteuid() != 0)
        SKIP("only root can become a user without rights");
    fuse_start(4096, 1);
    file = scratch_file("file", O_RDWR, 4096, 1);
    direct = scratch_file("direct", O_RDWR | O_DIRECT, 4096, 1);
    served = fuse_open("a", O_RDWR | O_DIRECT);
    buffer = new_pages(4096);
    CHECK_INT(one_request(ONE_READ, file, buffer, 4096, 0), 4096);
    MUST(setresgid(65534, 65534, 65534));
    MUST(setresuid(65534, 65534, 65534));
    MUST(setrlimit(RLIMIT_NPROC, &(struct rlimit){ 0, 0 }));
    for (int i = 0; i < ROUNDS; i++) {
        STEP("fsync");
        CHECK_INT(one_request(ONE_WRITE, file, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_FSYNC, file, NULL, 0, 0), 0);
        CHECK_INT(one_request(ONE_DATASYNC, direct, NULL, 0, 0), 0);
        STEP("reads and writes of a file server's file");
        CHECK_INT(one_request(ONE_READ, served, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_WRITE, served, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_FSYNC, served, NULL, 0, 0), 0);
        STEP("reads and writes of a disk file");
        CHECK_INT(one_request(ONE_READ, direct, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_WRITE, direct, buffer, 4096, 4096 * i), 4096);
    }
    STEP("exit");
    return 0;
}
