/* What the demo's programs share: the file and its check, random places in it, the clock and the line of results. */
#ifndef DEMO_LOAD_H
#define DEMO_LOAD_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DEPTH = 32, BLOCK = 4096 };

struct load {
    int fd, once; /* once: no block is read twice, so none is in the page cache */
    uint64_t blocks, bits, turn, sent, done;
    double seconds, started, cpu_started;
};

static inline void die(const char *what, int error)
{
    fprintf(stderr, "demo: %s: %s\n", what, strerror(error));
    exit(1);
}

static inline double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* Processor time of the whole process: user and system, every thread, the library's own included. */
static inline double cpu_time(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_utime.tv_usec / 1e6 + usage.ru_stime.tv_sec + usage.ru_stime.tv_usec / 1e6;
}

/* argv: FILE SECONDS direct|buffered. Each block of the file begins with its own number (side-by-side.c writes it so). */
static inline void load_open(struct load *load, int argc, char **argv)
{
    struct stat status;

    if (argc != 4) {
        fprintf(stderr, "usage: %s FILE SECONDS direct|buffered\n", argv[0]);
        exit(2);
    }
    *load = (struct load){ .fd = -1, .once = !strcmp(argv[3], "buffered"), .seconds = atof(argv[2]) };
    if (!load->once)
        load->fd = open(argv[1], O_RDONLY | O_DIRECT | O_CLOEXEC);
    if (load->once || (load->fd < 0 && errno == EINVAL)) /* a file system without O_DIRECT: both sides go buffered */
        load->fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (load->fd < 0 || fstat(load->fd, &status) != 0)
        die(argv[1], errno);
    load->blocks = status.st_size / BLOCK;
    while ((1ull << load->bits) < load->blocks)
        load->bits++;
    if (load->blocks < DEPTH)
        die(argv[1], EINVAL);
    load->cpu_started = cpu_time();
    load->started = now();
}

/* Numbers below 2^bits in an order without pattern, each once: every step can be undone. */
static inline uint64_t load_shuffle(uint64_t value, unsigned bits)
{
    uint64_t mask = (1ull << bits) - 1;

    for (int step = 0; step < 3; step++) {
        value = (value * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du) & mask;
        value ^= value >> (bits / 2);
    }
    return value;
}

static inline uint64_t load_next_block(struct load *load)
{
    uint64_t block;

    do
        block = load_shuffle(load->turn++, load->bits);
    while (block >= load->blocks);
    load->sent++;
    return block;
}

static inline void *load_buffer(void)
{
    void *buffer = NULL;
    int error = posix_memalign(&buffer, BLOCK, BLOCK);

    if (error)
        die("buffer", error);
    return buffer;
}

/* One read has ended: is it whole, and is it the block that was asked for? */
static inline void load_check(struct load *load, long long result, const void *buffer, uint64_t offset)
{
    uint64_t number;

    if (result != BLOCK)
        die("a read ended badly", result < 0 ? (int)-result : EIO);
    memcpy(&number, buffer, sizeof number);
    if (number != offset / BLOCK) {
        fprintf(stderr, "demo: block %llu holds %llu\n", (unsigned long long)(offset / BLOCK),
                (unsigned long long)number);
        exit(1);
    }
    load->done++;
}

static inline int load_goes_on(const struct load *load)
{
    return now() - load->started < load->seconds && !(load->once && load->sent == load->blocks);
}

/* Prints: reads per second, then processor time per read in microseconds. */
static inline void load_report(const struct load *load)
{
    double elapsed = now() - load->started;
    double cpu = cpu_time() - load->cpu_started;

    printf("%.1f %.3f\n", load->done / elapsed, cpu * 1e6 / (load->done ? load->done : 1));
}

#endif
