/* One request of the model: how it is submitted, how its end and its notification are noted. */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdatomic.h>

#include "aiocb.h"
#include "process.h"

#define REQUESTS 600
#define BUFFER (128 << 10)
#define NOTIFY_SIGNAL SIGRTMIN
#define GROUP_SIGNAL (SIGRTMIN + 1)

enum kind { FILE_READ, FILE_WRITE, FILE_SYNC, APPEND, STREAM_READ, STREAM_WRITE, WRONG };

struct request {
    struct aiocb cb;
    enum kind kind;
    int object;             /* which file, appended file or stream */
    unsigned id;            /* names the bytes that it writes */
    int want_error;         /* of a WRONG one */
    int wants_notification;
    atomic_int notified;
    int cancelled;          /* aio_cancel has answered AIO_CANCELED */
    int over;               /* its end has been seen: */
    int error;
    ssize_t result;
    char *buffer;
};

/* The requests since everything was last settled, in the order of their calls. */
static struct request requests[REQUESTS];
static int request_count;

struct group {
    struct request *member[16];
    int size, wanted;
    atomic_int notified, early;
};
static struct group groups[REQUESTS];
static int group_count;

static uint64_t random_state = 1;
static unsigned next_id = 1;

static inline uint32_t draw(uint32_t below)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(((random_state >> 33) * below) >> 31);
}

static inline void note_request(union sigval value)
{
    struct request *r = &requests[value.sival_int];

    /* The status is there before the notification; a second one would be found by the count. */
    if (aio_error(&r->cb) == EINPROGRESS)
        atomic_fetch_add(&r->notified, 1000);
    atomic_fetch_add(&r->notified, 1);
}

static inline void note_group(union sigval value)
{
    struct group *g = &groups[value.sival_int];

    for (int i = 0; i < g->size; i++)
        if (aio_error(&g->member[i]->cb) == EINPROGRESS)
            atomic_fetch_add(&g->early, 1);
    atomic_fetch_add(&g->notified, 1);
}

static inline void signal_handler(int signal, siginfo_t *info, void *context)
{
    int saved = errno;

    (void)context;
    if (info->si_code != SI_ASYNCIO || info->si_pid != getpid())
        FAIL("a signal with si_code %d from %d", info->si_code, info->si_pid);
    if (signal == NOTIFY_SIGNAL)
        note_request(info->si_value);
    else
        note_group(info->si_value);
    errno = saved;
}

/* Chooses a notification; returns whether there is one. */
static inline int choose_notification(struct sigevent *event, int value, int signal, void (*function)(union sigval))
{
    memset(event, 0, sizeof *event);
    event->sigev_value.sival_int = value;
    switch (draw(4)) {
    case 0:
        event->sigev_notify = SIGEV_SIGNAL;
        event->sigev_signo = signal;
        return 1;
    case 1:
        event->sigev_notify = SIGEV_THREAD;
        event->sigev_notify_function = function;
        return 1;
    case 2:
        event->sigev_notify = SIGEV_NONE;
    }
    return 0;
}

/* A new request. Its aiocb's private fields hold garbage, its buffer what no request writes. */
static inline struct request *new_request(enum kind kind, int object, int fd, size_t size, off_t offset)
{
    int i = request_count++;
    struct request *r = &requests[i];
    char *buffer = r->buffer;

    CHECK(request_count <= REQUESTS && size <= BUFFER);
    if (!buffer)
        CHECK(buffer = malloc(BUFFER));
    memset(r, draw(256), sizeof *r);
    r->kind = kind;
    r->object = object;
    r->id = next_id++;
    r->want_error = r->cancelled = r->over = 0;
    atomic_init(&r->notified, 0);
    r->buffer = buffer;
    r->cb.aio_fildes = fd;
    r->cb.aio_buf = buffer;
    r->cb.aio_nbytes = size;
    r->cb.aio_offset = offset;
    /* Where order counts (all but file 0), a lower priority would change it (POSIX 2.8.2, prioritized I/O; glibc does so). */
    r->cb.aio_reqprio = kind <= FILE_WRITE && object == 0 ? draw(21) : 0;
    r->wants_notification = choose_notification(&r->cb.aio_sigevent, i, NOTIFY_SIGNAL, note_request);
    if (kind == FILE_WRITE || kind == APPEND || kind == STREAM_WRITE) {
        fill_pattern(buffer, size, r->id);
        r->cb.aio_lio_opcode = LIO_WRITE;
    } else {
        memset(buffer, 0xee, size);
        r->cb.aio_lio_opcode = LIO_READ;
    }
    return r;
}

static inline int call(struct request *r)
{
    if (r->kind == FILE_SYNC)
        return aio_fsync(draw(2) ? O_SYNC : O_DSYNC, &r->cb);
    return r->cb.aio_lio_opcode == LIO_WRITE ? aio_write(&r->cb) : aio_read(&r->cb);
}

static inline void *call_and_exit(void *r)
{
    CHECK_INT(call(r), 0);
    return NULL;
}

/* Submits it, now and then from a thread that ends at once. */
static inline void submit(struct request *r)
{
    if (draw(40) == 0)
        join_thread(start_thread(call_and_exit, r));
    else
        CHECK_INT(call(r), 0);
}

#endif
