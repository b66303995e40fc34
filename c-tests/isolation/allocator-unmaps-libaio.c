// face: libaio
// build: -fno-builtin
// unsanitized: asan tsan -- it replaces malloc itself
/* The program's own allocator unmaps memory while it holds its lock, the one that malloc and free take. With a poll
   pending and other requests coming and going, no call of the program ever waits for the library to get memory.

   [D5] malloc(3) may be replaced by any program ("Replacing malloc" in the C library's manual); munmap(2) is a system
   call that takes no lock of the program. The kernel's AIO allocates nothing in user space. */
#include "behaviour.h"
#include "iocb.h"

#include <poll.h>
#include <stddef.h>

/* --- an allocator: blocks of a size class in lists, large ones mapped and unmapped, one plain lock ---------------- */

#define LARGE 32768
#define HEADER 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *lists[64];
static unsigned char *chunk, *chunk_end;

static int class_of(size_t size)
{
    int class = 6;

    while (((size_t)1 << class) < size)
        class++;
    return class;
}

static void *map(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return pages == MAP_FAILED ? NULL : pages;
}

void *malloc(size_t size)
{
    size_t whole = size + HEADER;
    unsigned char *block;

    pthread_mutex_lock(&lock);
    if (whole >= LARGE) {
        whole = (whole + 4095) & ~4095UL;
        block = map(whole);
    } else {
        int class = class_of(whole);

        whole = (size_t)1 << class;
        block = lists[class];
        if (block) {
            memcpy(&lists[class], block + HEADER, sizeof lists[class]);
        } else {
            if (chunk_end - chunk < (ptrdiff_t)whole) {
                chunk = map(1 << 20);
                chunk_end = chunk ? chunk + (1 << 20) : NULL;
            }
            block = chunk;
            chunk += chunk ? whole : 0;
        }
    }
    if (block)
        memcpy(block, &whole, sizeof whole);
    pthread_mutex_unlock(&lock);
    return block ? block + HEADER : NULL;
}

void free(void *pointer)
{
    unsigned char *block = (unsigned char *)pointer - HEADER;
    size_t whole;

    if (!pointer)
        return;
    pthread_mutex_lock(&lock);
    memcpy(&whole, block, sizeof whole);
    if (whole >= LARGE) {
        munmap(block, whole);
    } else {
        memcpy(block + HEADER, &lists[class_of(whole)], sizeof lists[0]);
        lists[class_of(whole)] = block;
    }
    pthread_mutex_unlock(&lock);
}

void *calloc(size_t count, size_t size)
{
    void *pointer = malloc(count * size);

    return pointer ? memset(pointer, 0, count * size) : NULL;
}

void *realloc(void *pointer, size_t size)
{
    void *other = malloc(size);
    size_t whole;

    if (pointer && other) {
        memcpy(&whole, (unsigned char *)pointer - HEADER, sizeof whole);
        memcpy(other, pointer, whole - HEADER < size ? whole - HEADER : size);
        free(pointer);
    }
    return other;
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
    /* What is aligned is never given back. */
    unsigned char *pages = map((size + alignment + HEADER + 4095) & ~4095UL);

    *result = pages ? (void *)(((uintptr_t)pages + HEADER + alignment - 1) & ~(alignment - 1)) : NULL;
    if (*result) {
        size_t whole = 64;

        memcpy((unsigned char *)*result - HEADER, &whole, sizeof whole);
    }
    return pages ? 0 : ENOMEM;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    void *result;

    return posix_memalign(&result, alignment, size) == 0 ? result : NULL;
}

void *memalign(size_t alignment, size_t size)
{
    return aligned_alloc(alignment, size);
}

/* ------------------------------------------------------------------------------------------------------------------ */

#define ROUNDS 20000
#define POLLS 32

static atomic_int quit;

/* Polls that come and go, each of which a library may allocate something for. */
static void *polls(void *context)
{
    struct iocb iocbs[POLLS], *list[POLLS];
    struct io_event events[POLLS];
    int ends[2];
    char byte;

    make_pipe(ends);
    while (!atomic_load(&quit)) {
        for (int i = 0; i < POLLS; i++) {
            io_prep_poll(&iocbs[i], ends[0], POLLIN);
            list[i] = &iocbs[i];
        }
        CHECK_INT(io_submit(context, POLLS, list), POLLS);
        CHECK_INT(write(ends[1], "x", 1), 1);
        reap(context, POLLS, events);
        CHECK_INT(read(ends[0], &byte, 1), 1);
    }
    return NULL;
}

int main(void)
{
    io_context_t context, pending;
    unsigned char *buffer;
    struct iocb never, read;
    int ends[2], fd;
    pthread_t thread;

    start_deadline();
    context = make_context(64);
    pending = make_context(64);
    fd = scratch_file("file", O_RDWR | O_DIRECT, 4096, 1);
    buffer = new_pages(4096);
    make_pipe(ends);
    io_prep_poll(&never, ends[0], POLLIN);
    submit_one(pending, &never);
    thread = start_thread(polls, context);
    STEP("free, which unmaps with the allocator's lock held");
    for (int round = 0; round < ROUNDS; round++) {
        void *large = malloc(LARGE + round % 8 * 4096);

        CHECK(large != NULL);
        if (round % 16 == 0) {
            io_prep_pread(&read, fd, buffer, 4096, 0);
            CHECK_INT(outcome(pending, &read), 4096);
        }
        free(large);
    }
    atomic_store(&quit, 1);
    join_thread(thread);
    STEP("io_destroy");
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_INT(io_destroy(context), 0);
    CHECK_INT(io_destroy(pending), 0);
    STEP("exit");
    exit(0);
}
