/* A callback takes other rights for its thread alone (a raw setresuid, as file servers do). The callbacks after it have those of
   the process all the same [B6] [F7] (in glibc each has a thread of its own). */
#include "aiocb.h"
#include "process.h"

#define ROUNDS 20

static sem_t called;
static uid_t before;

static void callback(union sigval value)
{
    before = geteuid();
    if (value.sival_int % 2 == 0)
        MUST(syscall(SYS_setresuid, -1, 65534, -1));
    sem_post(&called);
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);

    if (geteuid() != 0)
        SKIP("not root");
    alarm(DEADLINE_SECONDS);
    sem_init(&called, 0, 0);
    for (int i = 0; i < ROUNDS; i++) {
        read_and_be_called(fd, callback, i, &called);
        CHECK_INT(before, 0);
    }
    return 0;
}
