// face: libaio
/* The real-time I/O class without CAP_SYS_ADMIN or CAP_SYS_NICE: EPERM at io_submit, judged by the submitting thread's
   own capabilities [A13] (ioprio_check_cap). */
#include "iocb.h"
#include <linux/capability.h>

static void may_not(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};

    CHECK(syscall(SYS_capset, &header, data) == 0);
}

static io_context_t context;
static int fd;

static void submit(long long want)
{
    char *buffer = aligned(4096);
    struct iocb iocb;

    io_prep_pread(&iocb, fd, buffer, 4096, 0);
    iocb.u.c.flags = IOPRIO;
    for (int level = 0; level < 8; level++) {
        iocb.aio_reqprio = (short)(1 << 13 | level);
        CHECK_INT(outcome(context, &iocb), want);
        iocb.aio_reqprio = (short)(2 << 13 | level);
        CHECK_INT(outcome(context, &iocb), 4096);
        iocb.aio_reqprio = (short)(3 << 13 | level);
        CHECK_INT(outcome(context, &iocb), 4096);
    }
    free(buffer);
}

static void *powerless(void *unused)
{
    may_not();
    submit(-EPERM);
    return unused;
}

int main(void)
{
    pthread_t thread;

    fd = pattern_file(O_RDWR | O_DIRECT, 4096, 0);
    context = make_context(8);
    if (syscall(SYS_ioprio_set, 1, 0, 1 << 13) == 0) {
        CHECK(syscall(SYS_ioprio_set, 1, 0, 0) == 0);
        submit(4096);
        CHECK(pthread_create(&thread, NULL, powerless, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        /* That thread's loss is not this one's. */
        submit(4096);
    }
    may_not();
    submit(-EPERM);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
