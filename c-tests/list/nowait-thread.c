/* LIO_NOWAIT with a callback for the list: it is called once, when all is done, and may free the list's aiocbs [B2] [B11]. */
#include "list.h"
#include "process.h"

#define N 16

static sem_t called;

static void callback(union sigval value)
{
    struct aiocb **list = value.sival_ptr;

    for (int i = 0; i < N; i++) {
        CHECK_INT(aio_error(list[i]), i == 5 ? EBADF : 0);
        memset(list[i], 0x55, sizeof **list);
        free(list[i]);
    }
    free(list);
    sem_post(&called);
}

int main(void)
{
    int fd = pattern_file(O_RDWR, N, 1);
    static char in[N];

    sem_init(&called, 0, 0);
    for (int round = 0; round < 50; round++) {
        struct aiocb **list = malloc(N * sizeof *list);
        struct sigevent event = thread_event(callback, list);

        for (int i = 0; i < N; i++) {
            list[i] = malloc(sizeof **list);
            *list[i] = make_entry(LIO_READ, i == 5 ? -1 : fd, &in[i], 1, i);
        }
        CHECK_INT(lio_listio(LIO_NOWAIT, list, N, &event), 0);
        AWAIT(&called);
    }
    return 0;
}
