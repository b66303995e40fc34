/* SIGEV_EVENTFD takes the eventfd at the call: its number may be closed, and used again for another file, before the request or
   the list ends. It is the eventfd that counts [B19] [A3]. */
// links: uringaio
#include "list.h"
#include "process.h"

#include <poll.h>
#include <sys/eventfd.h>

/* A descriptor by which the eventfd can be read still. */
static int twin;

/* An eventfd by a number that is closed and used again when `used_up` is called. */
static int make_counter(void)
{
    int counter = MUST(eventfd(0, EFD_CLOEXEC));

    twin = MUST(fcntl(counter, F_DUPFD_CLOEXEC, 100));
    return counter;
}

static int used_up(int counter)
{
    int other = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    CHECK(other != counter);
    CHECK_INT(dup3(other, counter, O_CLOEXEC), counter);
    close(other);
    return counter;
}

static void check_count(int other, unsigned long long want)
{
    struct pollfd readable = { twin, POLLIN, 0 };
    unsigned long long count;

    CHECK_INT(poll(&readable, 1, DEADLINE_SECONDS * 1000), 1);
    CHECK_INT(read(twin, &count, sizeof count), 8);
    CHECK_INT(count, want);
    CHECK_FAILS(read(other, &count, sizeof count), EAGAIN);
    close(other);
    close(twin);
}

int main(void)
{
    struct aiocb cb[4], *list[4];
    struct sigevent event;
    int ends[4][2], counter, other;
    char bytes[4];

    for (int i = 0; i < 4; i++)
        make_pipe(ends[i]);
    for (int round = 0; round < 100; round++) {
        counter = make_counter();
        cb[0] = make_cb(ends[0][0], bytes, 1, 0);
        uringaio_sigevent_eventfd(&cb[0].aio_sigevent, counter);
        CHECK_INT(aio_read(&cb[0]), 0);
        other = used_up(counter);
        CHECK_INT(write(ends[0][1], "a", 1), 1);
        check_count(other, 1);
        CHECK_DONE(&cb[0], 1);

        /* A list, and each of its entries: one and four. */
        counter = make_counter();
        for (int i = 0; i < 4; i++) {
            cb[i] = make_entry(LIO_READ, ends[i][0], &bytes[i], 1, 0);
            uringaio_sigevent_eventfd(&cb[i].aio_sigevent, counter);
            list[i] = &cb[i];
        }
        uringaio_sigevent_eventfd(&event, counter);
        CHECK_INT(lio_listio(LIO_NOWAIT, list, 4, &event), 0);
        other = used_up(counter);
        for (int i = 3; i >= 0; i--)
            CHECK_INT(write(ends[i][1], "b", 1), 1);
        for (int i = 0; i < 4; i++)
            CHECK_DONE(&cb[i], 1);
        /* The counts come after the statuses. */
        WAIT_UNTIL(({
            unsigned long long so_far = 0;
            char line[64] = "", path[64];
            FILE *file;

            snprintf(path, sizeof path, "/proc/self/fdinfo/%d", twin);
            file = fopen(path, "re");
            while (file && fgets(line, sizeof line, file))
                sscanf(line, "eventfd-count: %llx", &so_far);
            if (file)
                fclose(file);
            so_far == 5;
        }));
        check_count(other, 5);
    }
    return 0;
}
