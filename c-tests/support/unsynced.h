/* What of a file would be lost if the power failed now, and the failing of it.

   The file itself has every write at once. Beside it lies, for each block that was written since its last sync, how this
   block is on the disk. A sync forgets these; a failure of the power puts back a part of them, by a seed: a block comes
   back as a whole, stays as a whole, or is torn, sector by sector. The end of a file that has grown may come back, too.

   Names, directories, truncation and fallocate are taken to be on the disk at once. */
#ifndef UNSYNCED_H
#define UNSYNCED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { UNSYNCED_BLOCK_BYTES = 4096, UNSYNCED_SECTOR_BYTES = 512 };

struct unsynced {
    unsigned char **on_disk; /* by block: its content on the disk, if that is not the file's */
    size_t blocks;           /* room of `on_disk` */
    off_t size_on_disk;
};

/* What a failure of the power did, in blocks. */
struct unsynced_counts {
    int kept, dropped, torn;
};

static inline void *unsynced_memory(void *memory)
{
    if (!memory) {
        fprintf(stderr, "unsynced: no memory\n");
        abort();
    }
    return memory;
}

static inline off_t unsynced_size_of(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 ? status.st_size : 0;
}

/* A file as it is found is on the disk. */
static inline void unsynced_start(struct unsynced *file, int fd)
{
    *file = (struct unsynced){ .size_on_disk = unsynced_size_of(fd) };
}

static inline void unsynced_forget(struct unsynced *file, size_t block)
{
    free(file->on_disk[block]);
    file->on_disk[block] = NULL;
}

/* fsync and fdatasync: everything is on the disk. */
static inline void unsynced_sync(struct unsynced *file, int fd)
{
    for (size_t block = 0; block < file->blocks; block++)
        unsynced_forget(file, block);
    file->size_on_disk = unsynced_size_of(fd);
}

/* To be called before a write: remembers how its blocks are on the disk. */
static inline void unsynced_before_write(struct unsynced *file, int fd, size_t size, off_t offset)
{
    size_t first = offset / UNSYNCED_BLOCK_BYTES, end = (offset + size + UNSYNCED_BLOCK_BYTES - 1) / UNSYNCED_BLOCK_BYTES;

    if (end > file->blocks) {
        size_t room = end * 2;

        file->on_disk = unsynced_memory(realloc(file->on_disk, room * sizeof *file->on_disk));
        memset(file->on_disk + file->blocks, 0, (room - file->blocks) * sizeof *file->on_disk);
        file->blocks = room;
    }
    for (size_t block = first; block < end; block++) {
        if (!file->on_disk[block]) {
            file->on_disk[block] = unsynced_memory(calloc(1, UNSYNCED_BLOCK_BYTES));
            /* What lies past the end reads as zeroes. */
            if (pread(fd, file->on_disk[block], UNSYNCED_BLOCK_BYTES, block * UNSYNCED_BLOCK_BYTES) < 0)
                perror("unsynced: read");
        }
    }
}

/* To be called after a write with O_SYNC or O_DSYNC: these bytes are on the disk, and nothing else is. */
static inline void unsynced_written_through(struct unsynced *file, const unsigned char *data, size_t size, off_t offset)
{
    for (size_t i = 0; i < size;) {
        size_t at = (offset + i) % UNSYNCED_BLOCK_BYTES, length = UNSYNCED_BLOCK_BYTES - at;

        if (length > size - i)
            length = size - i;
        memcpy(file->on_disk[(offset + i) / UNSYNCED_BLOCK_BYTES] + at, data + i, length);
        i += length;
    }
    if ((off_t)(offset + size) > file->size_on_disk)
        file->size_on_disk = offset + size;
}

/* To be called after the end of the file was set. */
static inline void unsynced_truncated(struct unsynced *file, off_t size)
{
    size_t last = size / UNSYNCED_BLOCK_BYTES, inside = size % UNSYNCED_BLOCK_BYTES;

    for (size_t block = last + (inside != 0); block < file->blocks; block++)
        unsynced_forget(file, block);
    if (inside && last < file->blocks && file->on_disk[last])
        memset(file->on_disk[last] + inside, 0, UNSYNCED_BLOCK_BYTES - inside);
    file->size_on_disk = size;
}

static inline uint64_t unsynced_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed >> 16;
}

static inline void unsynced_put_back(int fd, const unsigned char *from, size_t size, off_t offset, off_t end)
{
    if (offset >= end)
        return;
    if ((off_t)(offset + size) > end)
        size = end - offset;
    if (pwrite(fd, from, size, offset) != (ssize_t)size)
        perror("unsynced: write");
}

/* The power fails. `seed` must not be 0; with `tears` blocks are torn, too. */
static inline void unsynced_power_fails(struct unsynced *file, int fd, int tears, uint64_t *seed, struct unsynced_counts *counts)
{
    off_t end = unsynced_size_of(fd);

    if (end > file->size_on_disk && unsynced_random(seed) % 2) {
        end = file->size_on_disk;
        if (ftruncate(fd, end) != 0)
            perror("unsynced: truncate");
    }
    for (size_t block = 0; block < file->blocks; block++) {
        const unsigned char *before = file->on_disk[block];
        off_t offset = block * UNSYNCED_BLOCK_BYTES;
        int fate = unsynced_random(seed) % (tears ? 3 : 2);

        if (!before)
            continue;
        counts->kept += fate == 0;
        counts->dropped += fate == 1;
        counts->torn += fate == 2;
        if (fate == 1)
            unsynced_put_back(fd, before, UNSYNCED_BLOCK_BYTES, offset, end);
        for (int at = 0; fate == 2 && at < UNSYNCED_BLOCK_BYTES; at += UNSYNCED_SECTOR_BYTES) {
            if (unsynced_random(seed) % 2)
                unsynced_put_back(fd, before + at, UNSYNCED_SECTOR_BYTES, offset + at, end);
        }
    }
    unsynced_sync(file, fd);
}

#endif
