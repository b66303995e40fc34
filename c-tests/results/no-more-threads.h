/* The body of no-more-threads-posix.c and no-more-threads-libaio.c, which say what it does. */
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
#ifdef ONE_REQUEST_POSIX
    /* glibc's helper thread is to stay, since it could not come back. */
    aio_init(&(struct aioinit){ .aio_threads = 20, .aio_num = 64, .aio_idle_time = DEADLINE_SECONDS });
#endif
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
