// face: libaio
/* Under mlockall(MCL_FUTURE) with a small RLIMIT_MEMLOCK, AIO works: what the library maps is little [C4] (LVM). */
#include "iocb.h"
#include <linux/capability.h>
#include <sys/resource.h>

int main(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
    struct rlimit limit = {64 << 20, 64 << 20};
    int fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0);
    char *buffer = aligned(4096);
    io_context_t context;
    struct iocb iocb;

    CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0 || errno == EPERM);
    CHECK(syscall(SYS_capset, &header, data) == 0);
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
        SKIP("mlockall is not allowed here: errno %d", errno);
    context = make_context(128);
    for (int i = 0; i < 100; i++) {
        io_prep_pread(&iocb, fd, buffer, 4096, i % 16 * 4096);
        CHECK_INT(outcome(context, &iocb), 4096);
        check_pattern_at(buffer, 4096, 0, i % 16 * 4096);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
