/* Reads a file with POSIX AIO and prints what uringaio counted: for programs that are linked with it. */
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <uringaio.h>

int main(int argc, char **argv)
{
    static const char *const engines[] = { "the system's own AIO", "io_uring", "threads" };
    static char buffer[4096];
    struct uringaio_counters counters;
    unsigned long long in_caller = 0, by_engine = 0;
    struct aiocb request = { .aio_buf = buffer, .aio_nbytes = sizeof buffer, .aio_sigevent.sigev_notify = SIGEV_NONE };
    const struct aiocb *waiting[] = { &request };

    request.aio_fildes = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    if (request.aio_fildes < 0) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    if (aio_read(&request) != 0)
        return 1;
    while (aio_error(&request) == EINPROGRESS)
        aio_suspend(waiting, 1, NULL);
    if (aio_return(&request) < 0)
        return 1;

    uringaio_read_counters(&counters, sizeof counters);
    for (int kind = 0; kind < URINGAIO_KINDS; kind++) {
        in_caller += counters.in_caller[0][kind];
        by_engine += counters.by_engine[0][kind];
    }
    printf("uringaio %s, served by %s: %llu submitted, %llu in the caller, %llu by the engine, %llu bytes read\n",
           uringaio_version(), engines[uringaio_engine()], (unsigned long long)counters.submitted[0], in_caller,
           by_engine, (unsigned long long)counters.bytes_read);
    return counters.submitted[0] == 1 && in_caller + by_engine == 1 ? 0 : 1;
}
