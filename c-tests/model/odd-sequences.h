/* What the random sequences of POSIX AIO calls consist of: a round is some requests, how they are begun, and the calls beside
   them. It is drawn once and played on both sides.

   POSIX has to fix every answer. So of objects that can be seen through each other a round has reads, or one write, or writes to
   one O_APPEND file, besides flushes; requests of one object have one priority (glibc sorts by it); and a round that cannot end
   by itself is one whose bytes the program holds back. */
#ifndef ODD_SEQUENCES_H
#define ODD_SEQUENCES_H

#include "odd-threads.h"

#define REQUESTS 6
#define BLOCKED 2
#define SLOTS (REQUESTS + BLOCKED)
#define LIST SLOTS /* what notifies for the list */
#define MOST_ENTRIES 300
#define PIPE_BYTES 4096

static const int64_t offsets[] = { 0, 0, 0, 1, 512, 4096, CONTENT - 100, CONTENT, CONTENT + 1, 1 << 20, INT64_MAX, INT64_MAX - 4096,
                                   -1, -2, INT64_MIN };
/* Not 64 and 65, by themselves or with bits above the seven that glibc looks at: LIO_READV and LIO_WRITEV. */
static const int odd_opcodes[] = { 3, 4, 5, 66, 127, 128, 129, 130, 131, 132, 256, -1, INT_MAX, INT_MIN, 1 << 16, 1 << 16 | 1 };
static const int odd_priorities[] = { 1, 20, 21, -1, INT_MAX, INT_MIN };
static const int odd_signals[] = { 65, 1000, -1, INT_MAX, INT_MIN };
static const int odd_notifications[] = { 3, 5, 127, -1, INT_MAX, INT_MIN };
static const int odd_modes[] = { 2, 3, 128, 129, -1, INT_MAX };
static const int odd_syncs[] = { 0, 1, O_WRONLY, O_RDWR, O_SYNC | O_CREAT, -1 };

enum call { READ, WRITE, SYNC, DATA_SYNC, ODD_SYNC };
enum notification { SILENT, BY_SIGNAL, BY_THREAD, BY_SIGNAL_0, BY_ODD_SIGNAL, BY_ODD_MEANS };

struct notify_by {
    enum notification how;
    int number; /* the odd signal or means */
};

struct drawn {
    int object;
    enum call call;
    int opcode; /* in a list */
    int sync;   /* the odd one */
    enum place place;
    uint64_t length;
    int64_t offset;
    int priority;
    struct notify_by notify;
    int garbage; /* what the aiocb is filled with before, or -1: it stays as it was */
};

enum entry { NOTHING = -1, NOP = -2 };
enum ending { BY_BYTES, BY_CANCEL, BY_CANCEL_OF_ALL };

struct round {
    int requests;
    struct drawn request[REQUESTS];
    int as_list, mode, entries;
    short entry[MOST_ENTRIES]; /* a request's number, or an enum entry */
    struct notify_by list;
    int suspend_without_limit;
    int blocked; /* requests that wait until the program lets them go on */
    int blocked_writes;
    struct notify_by blocked_notify[BLOCKED];
    uint16_t wanted[BLOCKED], given[BLOCKED]; /* bytes */
    enum ending ending;
    int stray, stray_garbage; /* an object, for calls with an aiocb that was never submitted */
};

static inline int uses(const struct drawn *d)
{
    return d->call == READ ? 1 : d->call == WRITE ? 2 : 4;
}

static inline int is_write(const struct drawn *d)
{
    return d->call == WRITE && d->opcode == LIO_WRITE;
}

/* Whether `d` may run beside those that were drawn before. */
static inline int goes_with(const struct drawn *d, const struct round *round)
{
    const struct object *object = &objects[d->object];

    if (object->only_reads && uses(d) == 2)
        return 0;
    for (int i = 0; i < round->requests; i++) {
        const struct drawn *other = &round->request[i];

        if (objects[other->object].group != object->group || ((uses(other) | uses(d)) & 4))
            continue;
        if (uses(other) == 1 && uses(d) == 1 && other->object == d->object)
            continue;
        /* An odd opcode may make a read of it. */
        if (!object->appends || !is_write(other) || !is_write(d))
            return 0;
    }
    return 1;
}

static inline struct notify_by draw_notification(void)
{
    struct notify_by notify = { SILENT, 0 };

    switch (draw(16)) {
    case 0:
    case 1:
    case 2:
    case 3: notify.how = BY_SIGNAL; break;
    case 4: notify.how = draw(4) ? BY_SIGNAL : BY_THREAD; break;
    case 5: notify.how = BY_SIGNAL_0; break;
    case 6: notify = (struct notify_by){ BY_ODD_SIGNAL, ONE_OF(odd_signals) }; break;
    case 7: notify = (struct notify_by){ BY_ODD_MEANS, ONE_OF(odd_notifications) }; break;
    }
    return notify;
}

static inline int valid_opcode(enum call call)
{
    return call == READ ? LIO_READ : call == WRITE ? LIO_WRITE : call == SYNC ? 4 : call == DATA_SYNC ? 3 : 5;
}

static inline int draw_garbage(void)
{
    return draw(4) ? -1 : draw(2) ? 0 : (int)draw(256);
}

static inline void draw_request(struct round *round, int priority)
{
    static const enum call calls[] = { READ, READ, READ, WRITE, WRITE, WRITE, SYNC, DATA_SYNC, ODD_SYNC };
    struct drawn d;

    memset(&d, 0, sizeof d);
    d.object = (int)draw((uint32_t)object_count);
    /* Often the same object again. */
    if (round->requests && draw(3) == 0)
        d.object = round->request[round->requests - 1].object;
    d.call = ONE_OF(calls);
    d.sync = ONE_OF(odd_syncs);
    d.place = ONE_OF(places);
    d.length = ONE_OF(lengths);
    d.offset = ONE_OF(offsets);
    d.priority = draw(12) ? priority : ONE_OF(odd_priorities);
    if (d.priority >= 0 && d.priority <= 20)
        d.priority = priority;
    d.notify = draw_notification();
    d.garbage = draw_garbage();
    d.opcode = valid_opcode(d.call);
    if (objects[d.object].region) {
        d.length %= REGION;
        d.offset = objects[d.object].region + draw((uint32_t)(REGION - d.length));
        d.call = d.call == WRITE ? WRITE : READ;
        d.opcode = valid_opcode(d.call);
    } else if (draw(16) == 0) {
        /* What it does is not known here: it is taken for a write. */
        d.opcode = ONE_OF(odd_opcodes);
        d.call = WRITE;
    }
    if (goes_with(&d, round))
        round->request[round->requests++] = d;
}

static inline void draw_list(struct round *round)
{
    round->mode = draw(8) ? (draw(2) ? LIO_WAIT : LIO_NOWAIT) : ONE_OF(odd_modes);
    round->entries = 0;
    if (draw(16))
        for (int i = 0; i < round->requests; i++) {
            while (draw(4) == 0)
                round->entry[round->entries++] = draw(2) ? NOTHING : NOP;
            round->entry[round->entries++] = (short)i;
        }
    for (int more = draw(4) ? (int)draw(3) : (int)draw(MOST_ENTRIES / 2); more-- && round->entries < MOST_ENTRIES;)
        round->entry[round->entries++] = draw(2) ? NOTHING : NOP;
    round->list = draw_notification();
}

static inline void draw_round(struct round *round)
{
    int priority = draw(4) ? 0 : (int)draw(21);

    memset(round, 0, sizeof *round);
    for (uint32_t i = draw(REQUESTS + 1); i--;)
        draw_request(round, priority);
    round->as_list = draw(2);
    if (round->as_list)
        draw_list(round);
    round->suspend_without_limit = draw(2);
    if (draw(4) == 0) {
        round->blocked_writes = draw(3) == 0;
        round->blocked = round->blocked_writes ? 1 : 1 + (int)draw(BLOCKED);
        for (int i = 0; i < round->blocked; i++) {
            round->blocked_notify[i] = draw_notification();
            round->wanted[i] = (uint16_t)(1 + draw(PIPE_BYTES));
            round->given[i] = (uint16_t)(1 + draw(round->wanted[i]));
        }
        round->ending = draw(2) ? BY_BYTES : draw(2) ? BY_CANCEL : BY_CANCEL_OF_ALL;
    }
    round->stray = (int)draw((uint32_t)object_count);
    round->stray_garbage = (int)draw(256);
}

static inline void describe(const struct round *round)
{
    for (int i = 0; i < round->requests; i++) {
        const struct drawn *d = &round->request[i];

        SAY("    request %d: %s%s, opcode %d, sync %#x, place %d, length %#llx, offset %lld, priority %d, notification %d %d, garbage %d", i,
            d->call == READ ? "read of " : d->call == WRITE ? "write of " : "flush of ", objects[d->object].name, d->opcode, d->sync,
            d->place, (unsigned long long)d->length, (long long)d->offset, d->priority, d->notify.how, d->notify.number, d->garbage);
    }
    if (round->as_list)
        SAY("    as a list, mode %d, %d entries, notification %d %d", round->mode, round->entries, round->list.how, round->list.number);
    for (int i = 0; i < round->blocked; i++)
        SAY("    a blocked %s of %d bytes, notification %d, ending %d with %d", round->blocked_writes ? "write" : "read",
            round->wanted[i], round->blocked_notify[i].how, round->ending, round->given[i]);
}

#endif
