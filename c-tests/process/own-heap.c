// face: libaio
// columns: preload engine threads without enosys -- the original allocates with the program's malloc
// unsanitized: asan tsan -- it replaces malloc itself
/* The program's memory allocator is called by the program and the C library alone [D5]: not by a thread of the library,
   and not inside a call of it. What the dynamic linker allocates for a new thread's thread-local storage is the C
   library's. */
#include <elf.h>
#include <libaio.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

#include "aiocb.h"
#include "deadline.h"
#include "files.h"

#define BATCH 512

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static uintptr_t linker, linker_end;
static volatile int in_call;
static pthread_t caller;
static volatile int counted, allocated_at_all;
static void *volatile from;

static void note(void *return_address)
{
    uintptr_t at = (uintptr_t)return_address;
    char name[16] = "";

    allocated_at_all = 1;
    if (at >= linker && at < linker_end)
        return;
    prctl(PR_GET_NAME, name);
    if (strcmp(name, "uringaio") == 0 || (in_call && pthread_equal(pthread_self(), caller))) {
        __atomic_fetch_add(&counted, 1, __ATOMIC_RELAXED);
        from = return_address;
    }
}

#define NOTE() note(__builtin_return_address(0))

void *malloc(size_t size)
{
    NOTE();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    NOTE();
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    NOTE();
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    NOTE();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    NOTE();
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

/* The C library frees a null pointer or two when a thread ends. */
void free(void *memory)
{
    if (memory)
        NOTE();
    __libc_free(memory);
}

static int find_linker(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    if (info->dlpi_addr != getauxval(AT_BASE))
        return 0;
    linker = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD)
            linker_end = linker + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
    return 1;
}

/* A call of the library's, in which nothing may be allocated. */
#define CALL(call)                                                                                                     \
    ({                                                                                                                 \
        in_call = 1;                                                                                                   \
        __typeof__(call) answer_ = (call);                                                                             \
        in_call = 0;                                                                                                   \
        answer_;                                                                                                       \
    })

static struct aiocb blocks[BATCH], *list[BATCH];
static char buffers[BATCH][4096] __attribute__((aligned(4096)));

static void begin(int i, int fd, int opcode, off_t offset)
{
    memset(&blocks[i], 0, sizeof blocks[i]);
    blocks[i].aio_fildes = fd;
    blocks[i].aio_buf = buffers[i];
    blocks[i].aio_nbytes = sizeof buffers[i];
    blocks[i].aio_offset = offset;
    blocks[i].aio_lio_opcode = opcode;
    list[i] = &blocks[i];
}

static void finish(int i, ssize_t want)
{
    const struct aiocb *one[1] = { &blocks[i] };

    while (CALL(aio_error(&blocks[i])) == EINPROGRESS)
        CALL(aio_suspend(one, 1, NULL));
    CHECK_INT(aio_return(&blocks[i]), want);
}

static void posix_files(int flags)
{
    int fd = temp_file(O_RDWR | flags);

    for (int opcode = LIO_WRITE; opcode >= LIO_READ; opcode--) {
        for (int i = 0; i < BATCH; i++)
            begin(i, fd, opcode, (off_t)i * 4096);
        CHECK_INT(CALL(lio_listio(LIO_NOWAIT, list, BATCH, NULL)), 0);
        for (int i = 0; i < BATCH; i++)
            finish(i, 4096);
        begin(0, fd, 0, 0);
        CHECK_INT(CALL(aio_fsync(O_SYNC, &blocks[0])), 0);
        finish(0, 0);
        if (opcode == LIO_WRITE)
            posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    }
    CALL(close(fd));
}

static void posix_pipes(void)
{
    int ends[64][2];

    for (int i = 0; i < 64; i++) {
        make_pipe(ends[i]);
        begin(i, ends[i][0], LIO_READ, 0);
        CHECK_INT(CALL(aio_read(&blocks[i])), 0);
    }
    for (int i = 0; i < 32; i++)
        CHECK_INT(CALL(aio_cancel(ends[i][0], NULL)), AIO_CANCELED);
    for (int i = 0; i < 64; i++) {
        if (i >= 32) {
            MUST(write(ends[i][1], "x", 1));
            finish(i, 1);
        }
        CALL(close(ends[i][0]));
        CALL(close(ends[i][1]));
    }
}

static void native(int flags)
{
    static struct iocb iocbs[BATCH], *batch[BATCH];
    static struct io_event events[BATCH];
    io_context_t context = NULL;
    int fd = temp_file(O_RDWR | flags), done = 0;

    MUST(ftruncate(fd, BATCH * 4096));
    CHECK_INT(CALL(io_setup(BATCH, &context)), 0);
    for (int i = 0; i < BATCH; i++) {
        static struct iovec vectors[BATCH][2];

        vectors[i][0] = (struct iovec){ buffers[i], 1024 };
        vectors[i][1] = (struct iovec){ buffers[i] + 1024, 3072 };
        if (i % 2)
            io_prep_pwritev(&iocbs[i], fd, vectors[i], 2, (long long)i * 4096);
        else
            io_prep_pread(&iocbs[i], fd, buffers[i], 4096, (long long)i * 4096);
        batch[i] = &iocbs[i];
    }
    for (int sent = 0; sent < BATCH;) {
        int n = CALL(io_submit(context, BATCH - sent, batch + sent));

        CHECK(n > 0);
        sent += n;
    }
    while (done < BATCH) {
        int n = CALL(io_getevents(context, 1, BATCH, events, NULL));

        CHECK(n > 0);
        done += n;
    }
    CHECK_INT(CALL(io_destroy(context)), 0);
    CALL(close(fd));
}

int main(void)
{
    dl_iterate_phdr(find_linker, NULL);
    CHECK(linker_end > linker);
    caller = pthread_self();
    free(malloc(1));
    CHECK(allocated_at_all);
    for (int round = 0; round < 3; round++) {
        posix_files(0);
        posix_files(O_DIRECT);
        posix_pipes();
        native(0);
        native(O_DIRECT);
    }
    if (counted)
        FAIL("%d calls of the program's allocator, the last from %p", counted, from);
    return 0;
}
