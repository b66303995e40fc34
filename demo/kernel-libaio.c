/* The system's side of the libaio demo, so that libaio need not be installed: each function is its system call.
 * kernel-libaio.map gives the functions libaio's versions, so that one program runs on this and on ours. */
#include <errno.h>
#include <libaio.h>
#include <sys/syscall.h>
#include <unistd.h>

static long call(long number, long a, long b, long c, long d, long e)
{
    int saved = errno;
    long result = syscall(number, a, b, c, d, e);

    if (result < 0)
        result = -errno;
    errno = saved;
    return result;
}

int io_setup(int count, io_context_t *context)
{
    return call(SYS_io_setup, count, (long)context, 0, 0, 0);
}

int io_destroy(io_context_t context)
{
    return call(SYS_io_destroy, (long)context, 0, 0, 0, 0);
}

int io_submit(io_context_t context, long count, struct iocb **iocbs)
{
    return call(SYS_io_submit, (long)context, count, (long)iocbs, 0, 0);
}

int io_getevents(io_context_t context, long least, long most, struct io_event *events, struct timespec *timeout)
{
    return call(SYS_io_getevents, (long)context, least, most, (long)events, (long)timeout);
}
