// face: libaio
/* nanosleep, clock_nanosleep, recv with SO_RCVTIMEO, sem_wait and futex waits see no EINTR and do not end early while the
   thread's own I/O completes [C1]. */
#include "no-eintr.h"
#include <semaphore.h>
#include <sys/socket.h>

static int pair[2], ways;
static _Atomic int way;
static sem_t semaphore;

static int sleep_once(void)
{
    struct timespec little = {0, 20000000}, end;
    char byte;

    way = ways++ % 4;
    switch (way) {
    case 0:
        return recv(pair[0], &byte, 1, 0) == 1 ? 1 : -1;
    case 1:
        return sem_wait(&semaphore) == 0 ? 1 : -1;
    case 2:
        return nanosleep(&little, NULL) == 0 ? 1 : -1;
    default:
        clock_gettime(CLOCK_MONOTONIC, &end);
        end.tv_sec += end.tv_nsec >= 980000000;
        end.tv_nsec = (end.tv_nsec + 20000000) % 1000000000;
        return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == 0 ? 1 : -1;
    }
}

static void end_sleep(void)
{
    if (way == 0)
        CHECK_INT(send(pair[1], "x", 1, 0), 1);
    if (way == 1)
        CHECK(sem_post(&semaphore) == 0);
}

int main(void)
{
    struct timeval patience = {DEADLINE_SECONDS, 0};

    CHECK(sem_init(&semaphore, 0, 0) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
    eintr_rounds(sleep_once, end_sleep);
    return 0;
}
