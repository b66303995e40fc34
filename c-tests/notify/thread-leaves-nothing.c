/* Callbacks leave no threads behind: after many of them, and some that ended by pthread_exit, no more threads live than a
   few that the implementation keeps [B6]. */
#include "aiocb.h"
#include "process.h"

static sem_t called;

static void callback(union sigval value)
{
    sem_post(&called);
    if (value.sival_int % 3 == 0)
        pthread_exit(NULL);
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);

    sem_init(&called, 0, 0);
    for (int i = 0; i < 400; i++)
        read_and_be_called(fd, callback, i, &called);
    WAIT_UNTIL(count_threads() < 40);
    return 0;
}
