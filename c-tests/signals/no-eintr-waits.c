/* A request that completes while the thread that submitted it waits in epoll_wait, poll, select, recv with SO_RCVTIMEO,
   semtimedop, msgrcv or sem_timedwait does not end that wait [C1]. */
#include "completes-during.h"

#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>

static int pair[2], semaphores, messages;
static sem_t semaphore;

static void send_byte(void)
{
    CHECK_INT(write(pair[1], "y", 1), 1);
}

static void raise_semaphore(void)
{
    CHECK_INT(semop(semaphores, &(struct sembuf){ 0, 1, 0 }, 1), 0);
}

static void send_message(void)
{
    CHECK_INT(msgsnd(messages, &(struct { long type; char text; }){ 1, 'm' }, 1, 0), 0);
}

static void post(void)
{
    sem_post(&semaphore);
}

static void take_byte(void)
{
    char byte;

    read_whole(pair[0], &byte, 1);
}

int main(void)
{
    int poller = MUST(epoll_create1(EPOLL_CLOEXEC));
    struct epoll_event event = { .events = EPOLLIN };
    struct timespec long_time = { DEADLINE_SECONDS, 0 }, until;
    struct timeval long_timeval = { DEADLINE_SECONDS, 0 };
    char byte;

    make_stream_pair(pair);
    MUST(epoll_ctl(poller, EPOLL_CTL_ADD, pair[0], &event));
    MUST(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &long_timeval, sizeof long_timeval));
    semaphores = MUST(semget(IPC_PRIVATE, 1, 0600));
    messages = MUST(msgget(IPC_PRIVATE, 0600));
    sem_init(&semaphore, 0, 0);
    for (int i = 0; i < 10; i++) {
        complete_during_wait(send_byte);
        CHECK_INT(epoll_wait(poller, &event, 1, DEADLINE_SECONDS * 1000), 1);
        completed_during_wait();
        take_byte();

        complete_during_wait(send_byte);
        CHECK_INT(poll(&(struct pollfd){ pair[0], POLLIN, 0 }, 1, DEADLINE_SECONDS * 1000), 1);
        completed_during_wait();
        take_byte();

        complete_during_wait(send_byte);
        fd_set set;
        FD_ZERO(&set);
        FD_SET(pair[0], &set);
        struct timeval left = long_timeval;
        CHECK_INT(select(pair[0] + 1, &set, NULL, NULL, &left), 1);
        completed_during_wait();
        take_byte();

        complete_during_wait(send_byte);
        CHECK_INT(recv(pair[0], &byte, 1, 0), 1);
        completed_during_wait();

        complete_during_wait(raise_semaphore);
        CHECK_INT(semtimedop(semaphores, &(struct sembuf){ 0, -1, 0 }, 1, &long_time), 0);
        completed_during_wait();

        struct { long type; char text; } message;
        complete_during_wait(send_message);
        CHECK_INT(msgrcv(messages, &message, 1, 0, 0), 1);
        completed_during_wait();

        complete_during_wait(post);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += DEADLINE_SECONDS;
        CHECK_INT(sem_timedwait(&semaphore, &until), 0);
        completed_during_wait();
    }
    semctl(semaphores, 0, IPC_RMID);
    msgctl(messages, IPC_RMID, NULL);
    return 0;
}
