// face: libaio
/* A fork at any moment, while other threads submit and reap, leaves a child that can use AIO [A12] [C3]. */
#include "iocb.h"

static int fd;
static _Atomic int stop;

static void one(io_context_t context, char *buffer, long long at)
{
    struct io_event event;
    struct iocb iocb;

    io_prep_pread(&iocb, fd, buffer, 4096, at);
    submit_one(context, &iocb);
    reap(context, 1, &event);
    CHECK_INT((long)event.res, 4096);
    check_pattern_at(buffer, 64, 0, at);
}

static void *work(void *argument)
{
    io_context_t context = make_context(8);
    char *buffer = aligned(4096);

    for (int i = 0; !stop; i = (i + 1) % 16) {
        one(context, buffer, i * 4096);
        if (i == 15) {
            CHECK_INT(io_destroy(context), 0);
            context = make_context(8);
        }
    }
    CHECK_INT(io_destroy(context), 0);
    return argument;
}

int main(void)
{
    pthread_t threads[3];
    char *buffer = aligned(4096);

    fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0);
    for (int i = 0; i < 20; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            io_context_t context = make_context(8);

            for (int k = 0; k < 5; k++)
                one(context, buffer, k * 4096);
            CHECK_INT(io_destroy(context), 0);
            _exit(3);
        }
        CHECK_CHILD(pid, 3);
    }
    stop = 1;
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    return 0;
}
