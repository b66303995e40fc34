/* Adds up the bytes of a file with libaio: sixteen reads in flight, submitted in batches, reaped as they end. */
#include <fcntl.h>
#include <libaio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH = 16, CHUNK = 64 * 1024 };

static void die(const char *what, int error)
{
    fprintf(stderr, "checksum: %s: %s\n", what, strerror(error));
    exit(1);
}

int main(int argc, char **argv)
{
    static struct iocb requests[DEPTH];
    struct io_event events[DEPTH];
    struct iocb *batch[DEPTH];
    io_context_t context = 0;
    unsigned long long sum = 0, bytes = 0;
    struct stat status;
    off_t next = 0;
    int fd, answer, due = 0, in_flight = 0;

    fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    if (fd < 0 || fstat(fd, &status) != 0) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    if ((answer = io_setup(DEPTH, &context)) != 0)
        die("io_setup", -answer);
    for (int i = 0; i < DEPTH; i++) {
        void *buffer = malloc(CHUNK);

        if (!buffer)
            die("malloc", 12);
        io_prep_pread(&requests[i], fd, buffer, CHUNK, 0);
        batch[due++] = &requests[i];
    }
    for (;;) {
        int count = 0;

        while (count < due && next < status.st_size) {
            batch[count++]->u.c.offset = next;
            next += CHUNK;
        }
        for (int first = 0; first < count; first += answer, in_flight += answer) {
            answer = io_submit(context, count - first, batch + first);
            if (answer < 0)
                die("io_submit", -answer);
        }
        if (in_flight == 0)
            break;
        answer = io_getevents(context, 1, DEPTH, events, NULL);
        if (answer < 0)
            die("io_getevents", -answer);
        for (due = 0; due < answer; due++) {
            struct iocb *request = events[due].obj;
            const unsigned char *buffer = request->u.c.buf;

            if ((long)events[due].res < 0)
                die(argv[1], -(int)(long)events[due].res);
            for (unsigned long i = 0; i < events[due].res; i++)
                sum += buffer[i];
            bytes += events[due].res;
            batch[due] = request;
        }
        in_flight -= answer;
    }
    io_destroy(context);
    printf("%llu bytes, sum %llu\n", bytes, sum);
    return 0;
}
