/* Random operations of all kinds against a model that knows the right answers: reads, writes, fsyncs, appends, pipes,
   sockets, lists, cancellation, waiting, fork, threads that end, descriptors that are closed and reused, notification by
   signal and by thread. Every so often everything is brought to rest and compared: contents, order, results, and one
   notification for each request [B6] [B7] [B8] [B9] [B11] [B12].

   usage: random-operations [SEED [COUNT]] */
// unsanitized: tsan -- the runtime loses a signal that comes while one of its number waits
// oracle-deadline: 5
#include "objects.h"

static int forks_with_aio;

static void operate_on_file(struct request **made)
{
    int f = draw(FILES);
    size_t size = draw(20) ? 1 + draw(3000) : 4096 * (1 + draw(8));
    int writes = draw(2);
    off_t at = draw(FILE_SIZE - (writes ? size : 0));

    for (int i = 0; i < request_count; i++) {
        struct request *r = &requests[i];

        /* Two requests on the same bytes, one of them a write, may come in any order: none of these. */
        if ((r->kind == FILE_WRITE || (writes && r->kind == FILE_READ)) && r->object == f && !r->over && overlap(r, at, size)
            && is_pending(r))
            return;
    }
    *made = new_request(writes ? FILE_WRITE : FILE_READ, f, files[f].fd, size, at);
}

static void operate_on_stream(struct request **made)
{
    int s = draw(STREAMS);

    if (draw(2))
        *made = new_request(STREAM_READ, s, streams[s].read_end, 1 + draw(draw(4) ? 100 : 5000), draw(3));
    else
        *made = new_request(STREAM_WRITE, s, streams[s].write_end, draw(60) ? 1 + draw(2000) : 1 + draw(BUFFER), draw(3));
}

static void append_something(struct request **made)
{
    int a = draw(APPENDED);

    *made = new_request(APPEND, a, appended[a].fd, 1 + draw(2000), draw(1000));
}

static void make_mistake(void)
{
    struct aiocb *list[1];
    struct request *r = new_request(WRONG, 0, draw(2) ? -1 : files[0].fd, 10, 0);

    r->want_error = EBADF;
    if (r->cb.aio_fildes >= 0) {
        r->want_error = EINVAL;
        r->cb.aio_offset = -1 - (off_t)draw(1000);
    }
    list[0] = &r->cb;
    switch (draw(4)) {
    case 0:
        CHECK_FAILS(aio_fsync(12345, &r->cb), EINVAL);
        CHECK_FAILS(lio_listio(12345, list, 1, NULL), EINVAL);
        /* fall through */
    default:
        submit(r);
    }
}

/* A list of requests that end by themselves, if it is to be waited for. */
static void list_some(void)
{
    int waits = draw(2), asked = 1 + draw(14), interrupted;
    struct group *g = &groups[group_count];
    struct aiocb *list[16];
    struct sigevent event;
    int entries = 0;

    memset(g, 0, sizeof *g);
    for (int i = 0; i < asked; i++) {
        struct request *r = NULL;

        switch (draw(waits ? 3 : 5)) {
        case 0: list[entries++] = NULL; break;
        case 1: append_something(&r); break;
        case 2: operate_on_file(&r); break;
        default: operate_on_stream(&r);
        }
        if (r) {
            g->member[g->size++] = r;
            /* Not yet submitted: the next one's look at it must not take it for over. */
            r->cb.__error_code = EINPROGRESS;
            list[entries++] = &r->cb;
        }
    }
    g->wanted = choose_notification(&event, group_count++, GROUP_SIGNAL, note_group);
    if (waits) {
        g->wanted = 0;
        interrupted = lio_listio(LIO_WAIT, list, entries, &event) == -1;
        if (interrupted)
            CHECK_INT(errno, EINTR);
        else
            for (int i = 0; i < g->size; i++)
                CHECK(!is_pending(g->member[i]));
    } else {
        CHECK_INT(lio_listio(LIO_NOWAIT, list, entries, &event), 0);
        memset(list, 0x55, sizeof list);
        memset(&event, 0x55, sizeof event);
    }
}

static void cancel_one(void)
{
    if (!request_count)
        return;
    struct request *r = &requests[draw(request_count)];
    if (r->kind == WRONG)
        return;
    int over = r->over, answer = aio_cancel(r->cb.aio_fildes, &r->cb);

    if (answer == AIO_CANCELED) {
        CHECK(!over);
        r->cancelled = 1;
    } else if (answer == AIO_ALLDONE) {
        CHECK(aio_error(&r->cb) != EINPROGRESS);
    } else {
        CHECK_INT(answer, AIO_NOTCANCELED);
        CHECK(!over);
    }
    note_end(r);
}

static void cancel_descriptor(void)
{
    int s = draw(STREAMS), fd = draw(2) ? streams[s].read_end : streams[s].write_end;

    if (draw(5) == 0)
        fd = files[draw(FILES)].fd;
    int answer = aio_cancel(fd, NULL);

    CHECK(answer == AIO_CANCELED || answer == AIO_ALLDONE || answer == AIO_NOTCANCELED);
    for (int i = 0; i < request_count; i++)
        if (requests[i].cb.aio_fildes == fd && requests[i].kind != WRONG && answer != AIO_NOTCANCELED)
            CHECK(aio_error(&requests[i].cb) != EINPROGRESS);
}

static void suspend_some(void)
{
    const struct aiocb *list[8];
    struct timespec timeout = { 0, draw(2) ? 0 : draw(300000) };
    int n = 1 + draw(8), any = 0;

    if (!request_count)
        return;
    for (int i = 0; i < n; i++)
        list[i] = draw(5) ? &requests[draw(request_count)].cb : NULL;
    int result = aio_suspend(list, n, &timeout);
    int error = errno;
    for (int i = 0; i < n; i++)
        any |= list[i] && aio_error(list[i]) != EINPROGRESS;
    if (result == -1) {
        CHECK(error == EAGAIN || error == EINTR);
    } else {
        CHECK_INT(result, 0);
        for (int i = 0; i < n; i++)
            any |= list[i] != NULL;
        int nothing = 1;
        for (int i = 0; i < n; i++)
            nothing &= list[i] == NULL;
        CHECK(any || nothing);
    }
}

static void fork_child(void)
{
    pid_t child = MUST(fork());

    if (child == 0) {
        if (forks_with_aio) {
            char in[100];
            struct aiocb cb = make_cb(files[0].fd, in, sizeof in, 100);

            CHECK_INT(aio_read(&cb), 0);
            CHECK_DONE(&cb, sizeof in);
        }
        if (draw(2))
            _exit(0);
        /* Not exit(): the copies of the parent's stdio buffers are not the child's to flush. */
        raise(SIGKILL);
    }
    int status = await_child(child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
}

static void settle(void)
{
    for (int s = 0; s < STREAMS; s++)
        settle_stream(s);
    for (int i = 0; i < request_count; i++) {
        AWAIT_CB(&requests[i].cb);
        note_end(&requests[i]);
        CHECK(requests[i].over);
    }
    for (int i = 0; i < request_count; i++)
        if (requests[i].wants_notification)
            WAIT_UNTIL(atomic_load(&requests[i].notified) > 0);
    for (int i = 0; i < group_count; i++)
        if (groups[i].wanted)
            WAIT_UNTIL(atomic_load(&groups[i].notified) > 0);
    for (int i = 0; i < request_count; i++)
        CHECK_INT(atomic_load(&requests[i].notified), requests[i].wants_notification);
    for (int i = 0; i < group_count; i++) {
        CHECK_INT(atomic_load(&groups[i].notified), groups[i].wanted);
        CHECK_INT(atomic_load(&groups[i].early), 0);
    }
    for (int i = 0; i < request_count; i++)
        note_end(&requests[i]);
    for (int a = 0; a < APPENDED; a++)
        settle_appended(a);
    for (int f = 0; f < FILES; f++)
        settle_file(f);
    request_count = group_count = 0;

    /* Numbers go to other files now. */
    int f = draw(FILES), s = draw(PIPES);
    close(files[f].fd);
    close_stream(s);
    if (draw(2)) {
        open_file(f);
        open_stream(s);
    } else {
        open_stream(s);
        open_file(f);
    }
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    long count = argc > 2 ? atol(argv[2]) : 5000;

    fprintf(stderr, "seed %llu, %ld operations\n", (unsigned long long)seed, count);
    random_state = seed * 2654435761u + 1;
    /* glibc's AIO does not work in a child whose parent has used it. */
    const char *preload = getenv("LD_PRELOAD");
    forks_with_aio = preload && *preload;
    on_signal(NOTIFY_SIGNAL, signal_handler, SA_RESTART);
    on_signal(GROUP_SIGNAL, signal_handler, 0);
    for (int i = 0; i < FILES; i++)
        open_file(i);
    for (int i = 0; i < APPENDED; i++)
        open_appended(i);
    for (int i = 0; i < STREAMS; i++)
        open_stream(i);

    for (long done = 0; done < count; done++) {
        struct request *r = NULL;

        switch (draw(100)) {
        case 0 ... 29: operate_on_file(&r); break;
        case 30 ... 54: operate_on_stream(&r); break;
        case 55 ... 64: append_something(&r); break;
        case 65 ... 68: {
            int f = 1 + draw(FILES - 1);
            r = new_request(FILE_SYNC, f, files[f].fd, 0, 0);
            break;
        }
        case 69 ... 71: make_mistake(); break;
        case 72 ... 77: list_some(); break;
        case 78 ... 87: cancel_one(); break;
        case 88: cancel_descriptor(); break;
        case 89 ... 93: suspend_some(); break;
        case 94: if (draw(20) == 0) fork_child(); break;
        default: note_all_ends();
        }
        if (r)
            submit(r);
        if (draw(200) == 0 || request_count > REQUESTS - 20)
            settle();
    }
    settle();
    return 0;
}
