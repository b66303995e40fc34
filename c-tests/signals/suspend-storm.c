/* A handler that calls aio_error and aio_return at any moment takes nothing away from the aio_suspend that it interrupts
   [B10] (POSIX 2.4.3: async-signal-safe): each wait ends, without a timeout too, with 0 or, if a handler without SA_RESTART
   ran, with EINTR. */
// oracle-deadline: 15
#include "direct.h"
#include "storm.h"

#define DEPTH 4
#define ROUNDS 20000

static struct aiocb cb[DEPTH];

static void handler(void)
{
    for (int i = 0; i < DEPTH; i++)
        if (aio_error(&cb[i]) == 0)
            (void)aio_return(&cb[i]);
}

int main(void)
{
    int fd = direct_file();
    char *in = aligned_alloc(4096, DEPTH * BLOCK);

    read_blocks(fd, 300);
    for (int flags = 0; flags < 2; flags++) {
        int64_t end = now_ns() + 1500000000LL;

        storm(1000, handler, flags ? SA_RESTART : 0);
        for (int round = 0; round < ROUNDS && now_ns() < end; round++) {
            for (int i = 0; i < DEPTH; i++) {
                cb[i] = make_cb(fd, in + i * BLOCK, BLOCK, (round + i) % BLOCKS * BLOCK);
                CHECK_INT(aio_read(&cb[i]), 0);
            }
            for (int i = 0; i < DEPTH; i++) {
                const struct aiocb *list[] = { &cb[i] };

                while (aio_error(&cb[i]) == EINPROGRESS)
                    if (aio_suspend(list, 1, NULL) == -1) {
                        CHECK_INT(errno, EINTR);
                        CHECK(!flags);
                    }
                CHECK_INT(aio_error(&cb[i]), 0);
                CHECK_INT(aio_return(&cb[i]), BLOCK);
            }
        }
        storm(0, NULL, 0);
    }
    CHECK(handled > 0);
    return 0;
}
