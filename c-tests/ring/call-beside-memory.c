// face: libaio
/* Three threads take the events of one context in turns, one out of the ring in memory and two by io_getevents, while others are
   submitted and complete: nothing twice, nothing lost. A call never takes an event that the ring in memory does not show yet:
   the head would be past the tail, and the whole ring would look full of events [A1] (fs/aio.c aio_read_events_ring). */
#include <sched.h>

#include "iocb.h"

#define EVENTS 40000
#define BATCH 16

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static io_context_t context;
static unsigned char seen[EVENTS];
static int taken;

static void note(const struct io_event *event)
{
    uintptr_t number = (uintptr_t)event->data;

    CHECK(number < EVENTS);
    if (seen[number])
        FAIL("event %lu twice, after %d events", (unsigned long)number, taken);
    seen[number] = 1;
    taken++;
}

static void *in_memory(void *argument)
{
    for (int all = 0; !all;) {
        struct io_event event;

        pthread_mutex_lock(&turn);
        for (int i = 0; i < 3 && ring_take(context, &event); i++)
            note(&event);
        all = taken == EVENTS;
        pthread_mutex_unlock(&turn);
        sched_yield();
    }
    return argument;
}

static void *by_calls(void *argument)
{
    for (int all = 0; !all;) {
        struct io_event events[8];
        struct timespec now = {0, 0};
        int got;

        pthread_mutex_lock(&turn);
        got = io_getevents(context, 1, 8, events, &now);
        CHECK(got >= 0);
        for (int i = 0; i < got; i++)
            note(&events[i]);
        all = taken == EVENTS;
        pthread_mutex_unlock(&turn);
        sched_yield();
    }
    return argument;
}

int main(void)
{
    int file = pattern_file(O_RDWR, 4096, 0), fds[2] = {file, reopen(file, O_RDWR | O_DIRECT)};
    struct iocb iocbs[BATCH], *list[BATCH];
    char *buffer = aligned(4096);
    pthread_t threads[3];

    alarm(DEADLINE_SECONDS);
    context = make_context(2 * BATCH);
    CHECK(pthread_create(&threads[0], NULL, in_memory, NULL) == 0);
    CHECK(pthread_create(&threads[1], NULL, by_calls, NULL) == 0);
    CHECK(pthread_create(&threads[2], NULL, by_calls, NULL) == 0);
    for (int number = 0; number < EVENTS;) {
        int some = EVENTS - number < BATCH ? EVENTS - number : BATCH, ret;

        for (int i = 0; i < some; i++) {
            list[i] = &iocbs[i];
            if ((number + i) % 7 == 0)
                io_prep_pwrite(&iocbs[i], fds[1], buffer, 4096, 0);
            else
                io_prep_pread(&iocbs[i], fds[(number + i) % 64 != 0], buffer, 4096, 0);
            iocbs[i].data = (void *)(uintptr_t)(number + i);
        }
        ret = io_submit(context, some, list);
        CHECK(ret > 0 || ret == -EAGAIN);
        if (ret > 0)
            number += ret;
        else
            sched_yield();
    }
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
