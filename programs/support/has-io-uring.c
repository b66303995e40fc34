/* Exits with 0 if this process may use io_uring, with 1 if not (missing, disabled, forbidden by seccomp). */
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
    char parameters[120] = { 0 }; /* struct io_uring_params */

    return syscall(SYS_io_uring_setup, 2, parameters) < 0;
}
