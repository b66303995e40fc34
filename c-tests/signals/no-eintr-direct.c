// face: libaio
/* A thread submits O_DIRECT reads, sleeps in a call that has nothing to do with AIO, and then takes the events: the call
   never ends with EINTR, because there is no signal [C1] (signal(7) lists the calls that do not go on after a handler). */
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/socket.h>

#include "iocb.h"
#include "direct.h"

#define N 8

int main(void)
{
    int fd = direct_file(), epoll_fd = epoll_create1(0), ends[2], semaphores;
    io_context_t context = make_context(64);
    struct timeval short_time = {0, 60000};
    struct epoll_event event;
    sigset_t usr1;
    char byte;

    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
    CHECK(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof(short_time)) == 0);
    semaphores = semget(IPC_PRIVATE, 1, 0600);
    CHECK(semaphores >= 0);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    for (int round = 0; round < 100; round++) {
        struct timespec moment = {0, round % 10 == 0 ? 100000000 : 1000000 * (round % 7)};
        struct io_event events[N];
        struct sembuf down = {0, -1, 0};
        struct reads left = {.buffer = NULL};
        int ret = 0, want = EAGAIN;

        read_blocks(context, fd, 100, 4);
        start_reads(context, fd, &left, N);
        errno = 0;
        switch (round % 5) {
        case 0:
            ret = epoll_wait(epoll_fd, &event, 1, (int)(moment.tv_nsec / 1000000));
            want = 0;
            break;
        case 1:
            ret = sigtimedwait(&usr1, NULL, &moment);
            break;
        case 2:
            ret = semtimedop(semaphores, &down, 1, &moment);
            break;
        case 3:
            ret = nanosleep(&moment, NULL);
            want = 0;
            break;
        default:
            ret = (int)recv(ends[0], &byte, 1, 0);
        }
        if (ret != (want ? -1 : 0) || errno != want) {
            int error = errno;

            semctl(semaphores, 0, IPC_RMID);
            FAIL("round %d: %d, errno %d instead of %d", round, ret, error, want);
        }
        reap(context, N, events);
        check_reads(&left, events, N);
        free(left.buffer);
    }
    semctl(semaphores, 0, IPC_RMID);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
