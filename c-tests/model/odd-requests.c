// face: libaio
/* Requests that are odd in every field, on descriptors of every kind, one after another on the kernel's own AIO (by a raw
   context) and on the library: the same verdict, from the same place (io_submit or the event), the same bytes in the buffer,
   and the same contents of the files at the end [A4] [A13] [A15]. By one thread first, then by four at once.

   usage: odd-requests [SEED [COUNT]] */
#include <sys/utsname.h>

#include "behaviour.h"
#include "iocb.h"

#include "odd-threads.h"

#define VECTORS 4
#define LEFT_OVER 0xa5

enum side { KERNEL, LIBRARY };

/* What one side has of its own: memory with an end that cannot be touched, and vectors. */
static __thread struct memory {
    unsigned char *bytes;
    struct iovec vectors[1025]; /* of no bytes from VECTORS on */
    struct iocb iocb;
} memories[SIDES];

static __thread unsigned long kernels; /* aio_context_t */
static __thread io_context_t librarys;
static long count = 10000;

/* --- what is drawn once for both sides -------------------------------------------------------------------------- */

static const int64_t offsets[] = { 0, 0, 0, 1, 512, 4096, CONTENT - 100, CONTENT, CONTENT + 1, 1 << 20, INT64_MAX, INT64_MAX - 4096,
                                   -1, -2, INT64_MIN };
static const int opcodes[] = { IO_CMD_PREAD, IO_CMD_PREAD, IO_CMD_PWRITE, IO_CMD_PWRITE, IO_CMD_PREADV, IO_CMD_PWRITEV,
                               IO_CMD_FSYNC, IO_CMD_FDSYNC, IO_CMD_NOOP, 4, 9, 0xffff };
static const int counts[] = { 0, 1, 1, 2, 3, 4, 4, 1024, 1025, -1, INT_MIN };

struct drawn {
    int object, opcode, vectored;
    enum place place;
    uint64_t length;
    struct {
        enum place place;
        uint64_t length;
    } vectors[VECTORS];
    int64_t offset;
    unsigned rw_flags, flags;
    int resfd /* an object, or -1 */, ioprio;
    uint64_t reserved;
};

/* As in `unlike`. */
static int kind_of(int opcode)
{
    switch (opcode) {
    case IO_CMD_PREAD:
    case IO_CMD_PREADV: return 1;
    case IO_CMD_PWRITE:
    case IO_CMD_PWRITEV: return 2;
    case IO_CMD_FSYNC:
    case IO_CMD_FDSYNC: return 4;
    default: return 0;
    }
}

static struct drawn draw_request(int with_direct)
{
    struct drawn d;

    memset(&d, 0, sizeof d);
    do {
        d.object = draw(object_count);
        d.opcode = ONE_OF(opcodes);
    } while ((objects[d.object].is_direct && !with_direct) || (objects[d.object].unlike & kind_of(d.opcode)) ||
             (objects[d.object].only_reads && kind_of(d.opcode) == 2));
    d.vectored = d.opcode == IO_CMD_PREADV || d.opcode == IO_CMD_PWRITEV;
    d.place = ONE_OF(places);
    d.length = d.vectored ? (uint64_t)(int64_t)ONE_OF(counts) : ONE_OF(lengths);
    for (int i = 0; i < VECTORS; i++) {
        d.vectors[i].place = draw(3) ? AT_START : ONE_OF(places);
        d.vectors[i].length = draw(2) ? draw(2000) : ONE_OF(lengths);
    }
    d.offset = ONE_OF(offsets);
    if (objects[d.object].region) {
        d.opcode = d.opcode == IO_CMD_PWRITE ? IO_CMD_PWRITE : IO_CMD_PREAD;
        d.vectored = 0;
        d.length %= REGION;
        d.offset = objects[d.object].region + draw((uint32_t)(REGION - d.length));
        return d;
    }
    if (d.opcode == IO_CMD_FSYNC || d.opcode == IO_CMD_FDSYNC) {
        /* Other fields are not 0: the kernel refuses that. */
        if (draw(4)) {
            d.place = NULL_POINTER;
            d.length = d.offset = 0;
        }
    }
    if (draw(2) == 0)
        for (unsigned bits = 1 + draw(2); bits--;)
            d.rw_flags |= 1u << draw(draw(4) ? 9 : 32);
    if (objects[d.object].unlike_nowait)
        d.rw_flags &= ~(unsigned)RWF_NOWAIT;
    if (draw(16) == 0)
        d.reserved = draw(2) ? 1 : UINT64_MAX;
    if (draw(12) == 0) {
        d.flags = draw(2) ? 1u : 1u << draw(32);
        d.resfd = draw(2) ? (int)draw(object_count) : -1;
        d.ioprio = draw(2) ? 0 : (int)draw(1 << 16);
    }
    return d;
}

static struct iocb *prepare(const struct drawn *d, enum side side)
{
    struct memory *memory = &memories[side];
    struct iocb *iocb = &memory->iocb;

    memset(iocb, 0, sizeof *iocb);
    iocb->aio_fildes = objects[d->object].fd[side];
    iocb->aio_lio_opcode = (short)d->opcode;
    iocb->aio_rw_flags = (int)d->rw_flags;
    iocb->aio_reqprio = (short)d->ioprio;
    iocb->u.c.buf = at(memory->bytes, d->place, d->length);
    iocb->u.c.nbytes = d->length;
    iocb->u.c.offset = d->offset;
    memcpy((char *)iocb + 48, &d->reserved, 8); /* aio_reserved2 */
    iocb->u.c.flags = d->flags;
    iocb->u.c.resfd = (unsigned)(d->resfd < 0 ? d->resfd : objects[d->resfd].fd[side]);
    iocb->data = (void *)0x1234;
    if (d->vectored) {
        for (int i = 0; i < VECTORS; i++) {
            memory->vectors[i].iov_base = at(memory->bytes, d->vectors[i].place, d->vectors[i].length);
            memory->vectors[i].iov_len = d->vectors[i].length;
        }
        /* Most vectors are valid ones. */
        iocb->u.c.buf = d->place == AT_START || d->place == UNALIGNED || d->place == NEAR_END ? (void *)memory->vectors
                                                                                            : iocb->u.c.buf;
    }
    return iocb;
}

/* --- both sides ------------------------------------------------------------------------------------------------- */

struct verdict {
    int in_event;
    long result;
};

static struct verdict ask_kernel(struct iocb *iocb)
{
    struct io_event event;
    long taken = syscall(SYS_io_submit, kernels, 1L, &iocb);

    if (taken != 1)
        return (struct verdict){ 0, -errno };
    while (syscall(SYS_io_getevents, kernels, 1L, 1L, &event, NULL) != 1)
        CHECK(errno == EINTR);
    return (struct verdict){ 1, (long)event.res };
}

static struct verdict ask_library(struct iocb *iocb)
{
    struct io_event event;
    int taken = io_submit(librarys, 1, &iocb);

    if (taken != 1)
        return (struct verdict){ 0, taken };
    reap(librarys, 1, &event);
    CHECK(event.obj == iocb && event.data == (void *)0x1234);
    return (struct verdict){ 1, (long)event.res };
}

static void describe(const struct drawn *d, long number)
{
    SAY("request %ld: opcode %d on %s, place %d, length %#llx, offset %lld, rw_flags %#x, flags %#x, resfd %d, ioprio %#x, reserved %#llx",
        number, d->opcode, objects[d->object].name, d->place, (unsigned long long)d->length, (long long)d->offset, d->rw_flags,
        d->flags, d->resfd, d->ioprio, (unsigned long long)d->reserved);
    if (d->vectored)
        for (int i = 0; i < VECTORS; i++)
            SAY("    vector %d: place %d, length %#llx", i, d->vectors[i].place, (unsigned long long)d->vectors[i].length);
}

static void compare(const struct drawn *d, long number)
{
    struct verdict kernel, library;

    for (int side = 0; side < SIDES; side++)
        memset(memories[side].bytes, LEFT_OVER, SPAN);
    kernel = ask_kernel(prepare(d, KERNEL));
    library = ask_library(prepare(d, LIBRARY));
    if (kernel.in_event && library.in_event) {
        /* Which of several faults a device tells. */
        if (objects[d->object].is_direct && kernel.result < 0 && library.result < 0)
            return;
        if (objects[d->object].varies && kernel.result > 0 && library.result > 0)
            return;
    }
    if (kernel.in_event != library.in_event || kernel.result != library.result) {
        describe(d, number);
        SAY("    the kernel: %ld %s; the library: %ld %s", kernel.result, kernel.in_event ? "in the event" : "from io_submit",
            library.result, library.in_event ? "in the event" : "from io_submit");
        wrong++;
    } else if (kernel.result >= 0 && !objects[d->object].varies && memcmp(memories[KERNEL].bytes, memories[LIBRARY].bytes, SPAN)) {
        describe(d, number);
        SAY("    the bytes read differ");
        wrong++;
    }
}

static void compare_contents(const struct object *object)
{
    static __thread unsigned char bytes[SIDES][1 << 16];
    ssize_t sizes[SIDES];

    for (int side = 0; side < SIDES; side++) {
        int fd = reopen(object->fd[side], O_RDONLY);

        sizes[side] = MUST(pread(fd, bytes[side], sizeof bytes[side], 0));
        close(fd);
    }
    if (sizes[KERNEL] != sizes[LIBRARY] || memcmp(bytes[KERNEL], bytes[LIBRARY], (size_t)sizes[KERNEL])) {
        SAY("the contents of %s differ (%zd and %zd bytes)", object->name, sizes[KERNEL], sizes[LIBRARY]);
        wrong++;
    }
}

/* What the files answer is the library's to pass on. What the kernel's AIO checks by itself changes from release to release:
   the library does as one of them. */
static void need_linux(int major, int minor)
{
    struct utsname name;
    int is_major = 0, is_minor = 0;

    MUST(uname(&name));
    sscanf(name.release, "%d.%d", &is_major, &is_minor);
    if (is_major < major || (is_major == major && is_minor < minor))
        SKIP("Linux %s, not %d.%d", name.release, major, minor);
}

static void *run(void *number)
{
    int with_direct = 0;

    set_seed(seed * (THREADS + 1) + (uint64_t)(uintptr_t)number);
    make_objects();
    add_shared(shared_file, (int)(uintptr_t)number);
    for (int side = 0; side < SIDES; side++)
        memories[side].bytes = new_span();
    if (syscall(SYS_io_setup, 8L, &kernels) == -1)
        SKIP("the kernel has no context for the comparison: %s", strerror(errno));
    for (long i = 0; i < count && wrong < 20; i++) {
        /* A context that has carried an O_DIRECT request is the kernel's own from then on. */
        if (i % 256 == 0) {
            if (librarys)
                CHECK_INT(io_destroy(librarys), 0);
            librarys = make_context(8);
            with_direct = i % 1024 == 256;
        }
        struct drawn d = draw_request(with_direct);
        compare(&d, i);
    }
    for (int i = 0; i < object_count; i++)
        if (objects[i].has_content)
            compare_contents(&objects[i]);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 0);
    if (argc > 2)
        count = atol(argv[2]);
    start_deadline();
    need_linux(6, 18);
    fprintf(stderr, "seed %llu, %ld requests\n", (unsigned long long)seed, count);
    signal(SIGXFSZ, SIG_IGN);
    compare_by_threads(run, &count);
    return 0;
}
