/* A notification that cannot be sent (an unknown sigev_notify, no such signal, a thread with an impossible stack) changes
   neither the request's result nor what the call returns [B6]. */
#include "aiocb.h"

#include <pthread.h>

static void callback(union sigval value)
{
    (void)value;
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);
    char in[10];
    /* Looked at when the notification is sent, which may be as the program ends. */
    static pthread_attr_t attributes;
    struct aiocb cb[4];

    CHECK_INT(pthread_attr_init(&attributes), 0);
    CHECK_INT(pthread_attr_setstacksize(&attributes, 1UL << 46), 0);
    for (int i = 0; i < 4; i++)
        cb[i] = make_cb(fd, in, sizeof in, 0);
    notify_by_signal(&cb[0], 1000, 1);
    notify_by_signal(&cb[1], -5, 1);
    cb[2].aio_sigevent.sigev_notify = 99;
    notify_by_thread(&cb[3], callback, NULL);
    cb[3].aio_sigevent.sigev_notify_attributes = &attributes;
    for (int i = 0; i < 4; i++) {
        CHECK_INT(aio_read(&cb[i]), 0);
        CHECK_DONE(&cb[i], sizeof in);
        /* Nor a little later. */
        struct aiocb next = make_cb(fd, in, sizeof in, 0);
        CHECK_INT(aio_read(&next), 0);
        CHECK_DONE(&next, sizeof in);
        CHECK_INT(aio_error(&cb[i]), 0);
        CHECK_INT(aio_return(&cb[i]), sizeof in);
    }
    return 0;
}
