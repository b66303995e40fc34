/* Callbacks that start the next request: chains that are kept going by their callbacks alone, on a file and on a pipe [B6]. */
#include "aiocb.h"
#include "process.h"

#define CHAINS 4
#define LENGTH 250

static sem_t over;
static int fd, ends[2];
static struct chain {
    struct aiocb cb;
    char in;
    int length;
} chains[CHAINS];

static void start(struct chain *chain);

static void callback(union sigval value)
{
    struct chain *chain = value.sival_ptr;
    int piped = (chain - chains) % 2;

    CHECK_INT(aio_error(&chain->cb), 0);
    CHECK_INT(aio_return(&chain->cb), 1);
    CHECK_INT((unsigned char)chain->in, piped ? 'p' : pattern_byte(1, chain->length));
    if (++chain->length == LENGTH)
        sem_post(&over);
    else
        start(chain);
}

static void start(struct chain *chain)
{
    int piped = (chain - chains) % 2;

    chain->cb = make_cb(piped ? ends[0] : fd, &chain->in, 1, chain->length);
    notify_by_thread(&chain->cb, callback, chain);
    CHECK_INT(aio_read(&chain->cb), 0);
    if (piped)
        CHECK_INT(write(ends[1], "p", 1), 1);
}

int main(void)
{
    sem_init(&over, 0, 0);
    fd = pattern_file(O_RDWR, LENGTH, 1);
    make_pipe(ends);
    for (int i = 0; i < CHAINS; i++)
        start(&chains[i]);
    for (int i = 0; i < CHAINS; i++)
        AWAIT(&over);
    return 0;
}
