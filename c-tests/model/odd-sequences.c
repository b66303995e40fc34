/* Sequences of POSIX AIO calls that are odd in everything: descriptors of every kind, lengths, offsets, buffers, priorities,
   notifications, opcodes, modes, aiocbs that were never submitted. Each is played on glibc's functions and on the library: the
   same answers, the same status, the same bytes in the buffers and the files, the same signals and callbacks [B2] [B3] [B4]
   [B6] [B8] [B9] [B10] [B11] [C8]. By one thread first, then by four at once that share a file. Then less of it in settings that
   are drawn, too: with files on a FUSE file system, and with a limit (RLIMIT_FSIZE) that writes reach. Where differences.txt or
   docs/posix.md has another answer than glibc's on purpose (which cancellations succeed, what a notification that cannot be
   sent does to a result, negative counts), the answer is held against that rule.

   usage: odd-sequences [SEED [COUNT]] */
// unsanitized: tsan -- the original's threads begin within the C library, where the runtime does not see them
#include "odd-player.h"

#include "odd-settings.h"

#define LEFT_OVER 0xa5
#define CALLS_OF_A_ROUND 12 /* about */
#define OF_DRAWN_SETTINGS 4 /* the part of the rounds */

static long rounds = 1000;
static unsigned char pattern[2 * SPAN];

/* --- requests --------------------------------------------------------------------------------------------------- */

static void fill(struct player *p, int slot, const struct drawn *d, int side)
{
    struct aiocb *cb = &p->cb[slot];

    memset(p->span[slot], LEFT_OVER, SPAN);
    if (d->call == WRITE)
        memcpy(p->span[slot], pattern + (number * 131 + slot * 17) % SPAN, SPAN);
    if (d->garbage >= 0)
        memset(cb, d->garbage, sizeof *cb);
    cb->aio_fildes = objects[d->object].fd[side];
    cb->aio_lio_opcode = d->opcode;
    cb->aio_reqprio = d->priority;
    cb->aio_buf = at(p->span[slot], d->place, d->length);
    cb->aio_nbytes = d->length;
    cb->aio_offset = d->offset;
    cb->aio_sigevent = sigevent_of(p, &d->notify, slot);
}

static int begin(struct player *p, const struct drawn *d, struct aiocb *cb)
{
    switch (d->call) {
    case READ: return p->call->read(cb);
    case WRITE: return p->call->write(cb);
    case SYNC: return p->call->fsync(O_SYNC, cb);
    case DATA_SYNC: return p->call->fsync(O_DSYNC, cb);
    default: return p->call->fsync(d->sync, cb);
    }
}

static void begin_list(struct player *p, const struct round *round)
{
    struct aiocb *list[MOST_ENTRIES + 1], nop;
    struct sigevent event = sigevent_of(p, &round->list, LIST), *notify = round->list.how == SILENT ? NULL : &event;

    memset(&nop, 0, sizeof nop);
    nop.aio_lio_opcode = LIO_NOP;
    nop.aio_fildes = -1;
    for (int i = 0; i < round->entries; i++)
        list[i] = round->entry[i] == NOTHING ? NULL : round->entry[i] == NOP ? &nop : &p->cb[round->entry[i]];
    NOTE_CALL(p, "lio_listio", round->mode, p->call->list(round->mode, round->entries ? list : NULL, round->entries, notify));
    if (round->mode != LIO_WAIT && round->mode != LIO_NOWAIT)
        return;
    p->begun[LIST] = round->mode == LIO_NOWAIT;
    for (int i = 0; i < round->entries; i++)
        if (round->entry[i] >= 0) {
            const struct drawn *d = &round->request[round->entry[i]];

            p->begun[round->entry[i]] = (d->priority >= 0 && d->priority <= 20) || d->opcode == 3 || d->opcode == 4;
        }
}

static void await(struct player *p, int slot)
{
    const struct aiocb *list[] = { &p->cb[slot] };

    while (p->call->error(list[0]) == EINPROGRESS)
        CHECK_INT(p->call->suspend(list, 1, NULL), 0);
}

/* Which of several faults a device tells differs. */
static void note_end(struct player *p, int slot, int any_error)
{
    int error = p->call->error(&p->cb[slot]);

    note(p, "aio_error", slot, error && any_error ? 1 : error);
    note(p, "aio_return", slot, p->call->ret(&p->cb[slot]));
    note(p, "aio_return again", slot, p->call->ret(&p->cb[slot]));
}

/* --- calls beside them ------------------------------------------------------------------------------------------ */

static const struct timespec no_time;

/* A cancellation that finds nothing. The library asks its engine's thread; where that does not run for two seconds it says that
   something goes on (ARCHITECTURE.md, "Critical sections"). */
static void note_cancel(struct player *p, const char *what, int of, int fd, struct aiocb *cb)
{
    int64_t begin = now_ns();
    int answer = p->call->cancel(fd, cb), error = errno;

    if (answer == AIO_NOTCANCELED && p != &players[ORIGINAL] && now_ns() - begin > 1900000000)
        note(p, what, of, players[ORIGINAL].notes[p->noted].value);
    else
        note(p, what, of, answer == -1 ? -error : answer);
}

/* With nothing submitted on objects. */
static void call_stray(struct player *p, const struct round *round, int side)
{
    const struct aiocb *nothing[] = { NULL, NULL }, *stray[] = { NULL, &p->stray };
    int fd = objects[round->stray].fd[side];

    memset(&p->stray, round->stray_garbage, sizeof p->stray);
    p->stray.aio_fildes = fd;
    note(p, "aio_error of a stray one", 0, p->call->error(&p->stray));
    note(p, "aio_return of a stray one", 0, p->call->ret(&p->stray));
    NOTE_CALL(p, "aio_cancel of a stray one", round->stray, p->call->cancel(fd, &p->stray));
    NOTE_CALL(p, "aio_cancel of a stray one elsewhere", round->stray, p->call->cancel(p->quiet[1], &p->stray));
    note_cancel(p, "aio_cancel of a descriptor", round->stray, fd, NULL);
    NOTE_CALL(p, "aio_suspend of a stray one", 0, p->call->suspend(stray, 2, NULL));
    NOTE_CALL(p, "aio_suspend of nothing", 0, p->call->suspend(nothing, 2, NULL));
    NOTE_CALL(p, "aio_suspend of no list", 0, p->call->suspend(NULL, 0, NULL));
    NOTE_CALL(p, "aio_suspend of less", 0, p->call->suspend(stray, -1 - round->stray, NULL));
}

static void begin_blocked(struct player *p, const struct round *round)
{
    for (int i = 0; i < round->blocked; i++) {
        int slot = REQUESTS + i;
        struct aiocb *cb = &p->cb[slot], copy, *list[] = { cb };
        const struct aiocb *wait[] = { NULL, cb };

        memset(p->span[slot], round->blocked_writes ? 'b' : LEFT_OVER, SPAN);
        cb->aio_fildes = round->blocked_writes ? p->full[1] : p->quiet[0];
        cb->aio_lio_opcode = round->blocked_writes ? LIO_WRITE : LIO_READ;
        cb->aio_reqprio = 0;
        cb->aio_buf = p->span[slot];
        cb->aio_nbytes = round->wanted[i];
        cb->aio_offset = 0;
        cb->aio_sigevent = sigevent_of(p, &round->blocked_notify[i], slot);
        if (round->stray % 2)
            NOTE_CALL(p, "lio_listio of a blocked one", i, p->call->list(LIO_NOWAIT, list, 1, NULL));
        else
            NOTE_CALL(p, "a blocked one", i, round->blocked_writes ? p->call->write(cb) : p->call->read(cb));
        p->begun[slot] = 1;
        note(p, "aio_error of a blocked one", i, p->call->error(cb));
        /* Of glibc's the second where it has found no positions. */
        long early = p->call->ret(cb);
        if (early != 0 && early != -1)
            note(p, "aio_return of a blocked one", i, early);
        NOTE_CALL(p, "aio_suspend of a blocked one", i, p->call->suspend(wait, 2, &no_time));
        NOTE_CALL(p, "aio_cancel elsewhere", i, p->call->cancel(p->quiet[1], cb));
        copy = *cb;
        note_cancel(p, "aio_cancel of a copy", i, cb->aio_fildes, &copy);
    }
}

/* Lets the blocked request `i` go on, which is the first of those left. */
static void let_go(struct player *p, const struct round *round, int i)
{
    static const char filler[PIPE_BYTES];
    char bytes[PIPE_BYTES];

    if (!round->blocked_writes) {
        CHECK_INT(write(p->quiet[1], pattern, round->given[i]), round->given[i]);
        await(p, REQUESTS + i);
        return;
    }
    read_whole(p->full[0], bytes, sizeof bytes);
    await(p, REQUESTS + i);
    if (p->call->error(&p->cb[REQUESTS + i]) == 0) {
        read_whole(p->full[0], bytes, round->wanted[i]);
        CHECK(is_all(bytes, round->wanted[i], 'b'));
    }
    CHECK_INT(write(p->full[1], filler, sizeof filler), sizeof filler);
}

/* What aio_cancel stops of them is each side's own matter; that it says so is not. */
static void end_blocked(struct player *p, const struct round *round)
{
    int last = REQUESTS + round->blocked - 1, answer = AIO_NOTCANCELED;

    if (round->ending == BY_CANCEL)
        answer = p->call->cancel(p->cb[last].aio_fildes, &p->cb[last]);
    else if (round->ending == BY_CANCEL_OF_ALL)
        answer = p->call->cancel(p->cb[last].aio_fildes, NULL);
    CHECK(answer == AIO_CANCELED || answer == AIO_NOTCANCELED);
    for (int i = 0; i < round->blocked; i++) {
        int slot = REQUESTS + i, is_meant = round->ending == BY_CANCEL_OF_ALL || (round->ending == BY_CANCEL && slot == last);
        struct aiocb *cb = &p->cb[slot];

        if (answer == AIO_CANCELED && is_meant)
            CHECK_INT(p->call->error(cb), ECANCELED);
        if (p->call->error(cb) == EINPROGRESS)
            let_go(p, round, i);
        if (p->call->error(cb) == ECANCELED && is_meant) {
            CHECK_INT(p->call->ret(cb), -1);
            CHECK(is_all(p->span[slot], SPAN, round->blocked_writes ? 'b' : LEFT_OVER));
        } else if (round->blocked_writes) {
            CHECK_INT(p->call->error(cb), 0);
            CHECK_INT(p->call->ret(cb), round->wanted[i]);
        } else {
            CHECK_INT(p->call->error(cb), 0);
            CHECK_INT(p->call->ret(cb), round->given[i]);
            CHECK_INT(memcmp(p->span[slot], pattern, round->given[i]), 0);
            CHECK(is_all(p->span[slot] + round->given[i], (size_t)(SPAN - round->given[i]), LEFT_OVER));
        }
    }
    /* Of a read that was stopped after all. */
    for (char bytes[PIPE_BYTES]; fcntl(p->quiet[0], F_SETFL, O_NONBLOCK) == 0 && read(p->quiet[0], bytes, sizeof bytes) > 0;)
        ;
    MUST(fcntl(p->quiet[0], F_SETFL, 0));
}

/* --- a round ---------------------------------------------------------------------------------------------------- */

static void play(const struct round *round, int side)
{
    struct player *p = &players[side];
    const struct notify_by *notify[SLOTS + 1];
    const struct aiocb *all[SLOTS];
    int seen[REQUESTS], any = 0;

    p->noted = 0;
    p->round = number;
    memset(p->begun, 0, sizeof p->begun);
    call_stray(p, round, side);
    begin_blocked(p, round);
    for (int i = 0; i < round->requests; i++)
        fill(p, i, &round->request[i], side);
    if (round->as_list)
        begin_list(p, round);
    else
        for (int i = 0; i < round->requests; i++)
            p->begun[i] = NOTE_CALL(p, "the call", i, begin(p, &round->request[i], &p->cb[i])) == 0;
    for (int i = 0; i < SLOTS; i++)
        all[i] = NULL;
    for (int i = 0; i < round->requests; i++) {
        seen[i] = p->call->error(&p->cb[i]);
        any |= p->begun[i];
        all[i] = p->begun[i] ? &p->cb[i] : NULL;
    }
    for (int i = 0; i < round->blocked; i++)
        all[REQUESTS + i] = &p->cb[REQUESTS + i];
    if (any && round->suspend_without_limit)
        NOTE_CALL(p, "aio_suspend", 0, p->call->suspend(all, SLOTS, NULL));
    for (int i = 0; i < round->requests; i++) {
        await(p, i);
        if (seen[i] != EINPROGRESS)
            CHECK_INT(p->call->error(&p->cb[i]), seen[i]);
        if (round->as_list && round->mode == LIO_WAIT)
            CHECK(seen[i] != EINPROGRESS);
        note_end(p, i, objects[round->request[i].object].is_direct);
        NOTE_CALL(p, "aio_cancel of an ended one", i, p->call->cancel(p->cb[i].aio_fildes, &p->cb[i]));
        NOTE_CALL(p, "aio_cancel of it elsewhere", i, p->call->cancel(p->quiet[0], &p->cb[i]));
        notify[i] = &round->request[i].notify;
    }
    NOTE_CALL(p, "aio_suspend of all", 0, any || round->blocked ? p->call->suspend(all, SLOTS, &no_time) : 0);
    if (round->blocked)
        end_blocked(p, round);
    for (int i = 0; i < round->blocked; i++)
        notify[REQUESTS + i] = &round->blocked_notify[i];
    notify[LIST] = &round->list;
    take_notifications(p, notify);
}

/* What a write with O_DIRECT that failed has written depends on the extents of the file: pwrite, too, writes the first extent of a
   length that is no whole blocks, and then says EINVAL. From here on the files of both sides are the same again. */
static void level_contents(const struct object *object)
{
    unsigned char *bytes = malloc(MOST_BYTES);
    int from = reopen(object->fd[ORIGINAL], O_RDWR), to = reopen(object->fd[LIBRARY], O_RDWR);
    ssize_t size = MUST(pread(from, bytes, MOST_BYTES, 0));

    CHECK_INT(pwrite(to, bytes, (size_t)size, 0), size);
    MUST(ftruncate(to, size));
    close(from);
    close(to);
    free(bytes);
}

static void compare(const struct round *round)
{
    const struct player *a = &players[ORIGINAL], *b = &players[LIBRARY];
    int before = wrong;

    for (int i = 0; i < a->noted || i < b->noted; i++) {
        const struct note *one = &a->notes[i], *other = &b->notes[i];

        if (i >= a->noted || i >= b->noted || one->what != other->what || one->of != other->of) {
            SAY("round %d goes two ways at note %d: %s, %s", number, i, one->what, other->what);
            wrong++;
            break;
        }
        if (one->value != other->value) {
            SAY("round %d, %s (%d): the original %ld, the library %ld", number, one->what, one->of, one->value, other->value);
            wrong++;
        }
    }
    for (int i = 0; i < round->requests; i++)
        if (!objects[round->request[i].object].varies && functions[ORIGINAL].error(&a->cb[i]) == 0 &&
            memcmp(a->span[i], b->span[i], SPAN)) {
            SAY("round %d, request %d: the bytes read differ", number, i);
            wrong++;
        }
    for (int i = 0; i < round->requests; i++) {
        const struct object *object = &objects[round->request[i].object];

        if (!object->is_direct || !object->has_content || functions[ORIGINAL].error(&a->cb[i]) == 0)
            continue;
        level_contents(object);
        /* So does the error, which a later round may ask for again. */
        memset(&players[ORIGINAL].cb[i], 0, sizeof(struct aiocb));
        memset(&players[LIBRARY].cb[i], 0, sizeof(struct aiocb));
    }
    if (wrong != before) {
        SAY("round %d of seed %llu", number, (unsigned long long)seed);
        describe(round);
    }
}

/* --- between rounds --------------------------------------------------------------------------------------------- */

/* Two objects change their numbers. */
static void exchange_descriptors(void)
{
    struct object *one = &objects[draw((uint32_t)object_count)], *other = &objects[draw((uint32_t)object_count)];

    if (one == other || fcntl(one->fd[0], F_GETFD) == -1 || fcntl(other->fd[0], F_GETFD) == -1)
        return;
    for (int side = 0; side < SIDES; side++) {
        int kept = MUST(fcntl(one->fd[side], F_DUPFD_CLOEXEC, 0)), swapped = one->fd[side];

        MUST(dup3(other->fd[side], one->fd[side], O_CLOEXEC));
        MUST(dup3(kept, other->fd[side], O_CLOEXEC));
        close(kept);
        one->fd[side] = other->fd[side];
        other->fd[side] = swapped;
    }
}

static void flip_append(void)
{
    struct object *object = &objects[draw((uint32_t)object_count)];

    if (!object->has_content)
        return;
    object->appends = !object->appends;
    for (int side = 0; side < SIDES; side++)
        MUST(fcntl(object->fd[side], F_SETFL, MUST(fcntl(object->fd[side], F_GETFL)) ^ O_APPEND));
}

static void compare_contents(struct object *object)
{
    unsigned char *bytes[SIDES];
    ssize_t sizes[SIDES];

    for (int side = 0; side < SIDES; side++) {
        int fd = reopen(object->fd[side], O_RDWR);

        CHECK_INT(lseek(object->fd[side], 0, SEEK_CUR), 0);
        bytes[side] = malloc(MOST_BYTES);
        sizes[side] = MUST(pread(fd, bytes[side], MOST_BYTES, 0));
        MUST(ftruncate(fd, CONTENT));
        close(fd);
    }
    if (sizes[0] != sizes[1] || memcmp(bytes[0], bytes[1], (size_t)sizes[0])) {
        SAY("after round %d of seed %llu the contents of %s differ (%zd and %zd bytes)", number, (unsigned long long)seed, object->name,
            sizes[0], sizes[1]);
        wrong++;
    }
    for (int side = 0; side < SIDES; side++)
        free(bytes[side]);
}

static void *run(void *argument)
{
    static __thread struct round round;
    int thread = (int)(uintptr_t)argument;

    players = all_players[thread];
    set_seed(seed * (THREADS + 1) + (uint64_t)thread);
    make_objects();
    add_shared(shared_file, thread);
    for (int side = 0; side < SIDES; side++)
        start_player(side, thread);
    for (number = 0; number < rounds && wrong < 20; number++) {
        draw_round(&round);
        for (int side = 0; side < SIDES; side++)
            play(&round, side);
        compare(&round);
        if (number % 32 == 31)
            exchange_descriptors();
        if (number % 64 == 63)
            flip_append();
        if (number % 512 == 511 || number == rounds - 1)
            for (int i = 0; i < object_count; i++)
                if (objects[i].has_content)
                    compare_contents(&objects[i]);
    }
    return NULL;
}

static void compare_sequences(void)
{
    compare_by_threads(run, &rounds);
}

int main(int argc, char **argv)
{
    sigset_t all;
    long most;

    if (argc > 1)
        seed = strtoull(argv[1], NULL, 0);
    if (argc > 2)
        rounds = atol(argv[2]) / CALLS_OF_A_ROUND;
    start_deadline();
    find_original();
    fprintf(stderr, "seed %llu, %ld rounds\n", (unsigned long long)seed, rounds);
    sigfillset(&all);
    sigdelset(&all, SIGALRM);
    sigdelset(&all, SIGXFSZ);
    sigdelset(&all, SIGTERM);
    sigdelset(&all, SIGINT);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    fill_pattern(pattern, sizeof pattern, 9);
    most = rounds;
    in_settings((struct settings){ .most_bytes = MOST_BYTES }, compare_sequences);
    set_seed(seed);
    for (int on_fuse = 0; on_fuse < 2; on_fuse++) {
        rounds = most / OF_DRAWN_SETTINGS;
        in_settings(draw_settings(on_fuse), compare_sequences);
    }
    return 0;
}
