/* What the benchmark's own programs share: the clock, processor time, a histogram of latencies, the line of results. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* 16 steps in each power of two: a percentile is exact to 6 %. */
enum { STEPS = 16, BUCKETS = 48 * STEPS };

struct histogram {
    uint64_t count[BUCKETS];
    uint64_t total;
};

static inline void die(const char *what, int error)
{
    fprintf(stderr, "bench: %s: %s\n", what, strerror(error));
    exit(1);
}

static inline uint64_t nanoseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* User and system time of the process: its own threads, the library's, and the kernel's workers for it. */
static inline double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_utime.tv_usec / 1e6 + usage.ru_stime.tv_sec + usage.ru_stime.tv_usec / 1e6;
}

static inline void histogram_add(struct histogram *histogram, uint64_t value)
{
    int bucket;

    if (value < STEPS) {
        bucket = value;
    } else {
        int power = 63 - __builtin_clzll(value); /* at least 4 */

        bucket = (power - 3) * STEPS + ((value >> (power - 4)) & (STEPS - 1));
    }
    histogram->count[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    histogram->total++;
}

static inline void histogram_merge(struct histogram *into, const struct histogram *from)
{
    for (int i = 0; i < BUCKETS; i++)
        into->count[i] += from->count[i];
    into->total += from->total;
}

/* In microseconds, the middle of the bucket. */
static inline double histogram_percentile(const struct histogram *histogram, double percent)
{
    uint64_t wanted = histogram->total * percent / 100, seen = 0;

    for (int i = 0; i < BUCKETS; i++) {
        seen += histogram->count[i];
        if (seen > wanted) {
            double low = i < STEPS ? i : (double)(1ull << (i / STEPS + 3)) * (1 + (double)(i % STEPS) / STEPS);
            double width = i < STEPS ? 1 : (double)(1ull << (i / STEPS + 3)) / STEPS;

            return (low + width / 2) / 1e3;
        }
    }
    return 0;
}

static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Filled with random bytes: zeros are a short cut for zram. */
static inline void *aligned_buffer(size_t length)
{
    void *buffer = NULL;
    uint64_t state = 0x9e3779b97f4a7c15ull;
    int error = posix_memalign(&buffer, 4096, length);

    if (error)
        die("buffer", error);
    for (size_t i = 0; i + sizeof state <= length; i += sizeof state) {
        next_random(&state);
        memcpy((char *)buffer + i, &state, sizeof state);
    }
    return buffer;
}

/* Opens a file or a block device past the page cache, and tells how many blocks of this size it has. */
static inline int open_direct(const char *path, int how, size_t block, uint64_t *blocks)
{
    int fd = open(path, how | O_DIRECT | O_CLOEXEC);
    off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

    if (end < 0)
        die(path, errno);
    *blocks = end / block;
    return fd;
}

/* The most memory that was resident at any time, in bytes. */
static inline long peak_memory(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[128];
    long kib = 0;

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %ld kB", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib * 1024;
}

static inline void report(uint64_t operations, uint64_t started, double cpu_started, const struct histogram *latency)
{
    printf("{\"rate\": %.1f, \"cpu\": %.4f, \"p50\": %.2f, \"p99\": %.2f, \"peak\": %ld}\n",
           operations / ((nanoseconds() - started) / 1e9), (cpu_seconds() - cpu_started) * 1e6 / (operations ? operations : 1),
           histogram_percentile(latency, 50), histogram_percentile(latency, 99), peak_memory());
}

#endif
