// face: libaio
/* semtimedop, semop and msgrcv do not see EINTR while the thread's own I/O completes [C1]. */
#include "no-eintr.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

static int semaphore, queue, ways;
static _Atomic int way; /* the system calls order it */

static int sleep_once(void)
{
    struct timespec patience = {DEADLINE_SECONDS, 0};
    struct sembuf down = {0, -1, 0};
    struct {
        long type;
        char text[8];
    } message;
    int ret;

    way = ways++ % 3;
    if (way == 0)
        ret = semtimedop(semaphore, &down, 1, &patience);
    else if (way == 1)
        ret = semop(semaphore, &down, 1);
    else
        ret = msgrcv(queue, &message, sizeof(message.text), 0, 0) < 0 ? -1 : 0;
    return ret == 0 ? 1 : -1;
}

static void end_sleep(void)
{
    struct sembuf up = {0, 1, 0};
    struct {
        long type;
        char text[8];
    } message = {1, "awake"};

    if (way < 2)
        CHECK(semop(semaphore, &up, 1) == 0);
    else
        CHECK(msgsnd(queue, &message, sizeof(message.text), 0) == 0);
}

static void clean(void)
{
    semctl(semaphore, 0, IPC_RMID);
    msgctl(queue, IPC_RMID, NULL);
}

int main(void)
{
    pid_t child;
    int status;

    semaphore = semget(IPC_PRIVATE, 1, 0600);
    queue = msgget(IPC_PRIVATE, 0600);
    if (semaphore < 0 || queue < 0) {
        if (semaphore >= 0 || queue >= 0)
            clean();
        SKIP("no System V IPC here");
    }
    /* In a child, so that the objects are removed whatever happens. */
    child = fork();
    if (child == 0) {
        eintr_rounds(sleep_once, end_sleep);
        _exit(0);
    }
    status = await_child(child);
    clean();
    return status != 0;
}
