// face: libaio
/* A program that takes events out of the ring itself, and remembers where it was in place of reading head again, finds every
   event where it looks, also when O_DIRECT reads follow cached ones [A1]. Only the reader moves head (fs/aio.c). */
#include "iocb.h"
#include "direct.h"

int main(void)
{
    int direct = direct_file(), cached = reopen(direct, O_RDWR);
    io_context_t context = make_context(16);
    struct ring *ring = ring_of(context);
    char *buffer = aligned(BLOCK);
    unsigned head = 0;
    int64_t end = deadline_ns();

    CHECK_INT(pread(cached, buffer, BLOCK, 0), BLOCK);
    for (int i = 0; i < 1000; i++) {
        struct iocb iocb;

        io_prep_pread(&iocb, i % 50 < 5 ? cached : direct, buffer, BLOCK, 0);
        iocb.data = (void *)(uintptr_t)(i + 1);
        submit_one(context, &iocb);
        while (head == atomic_load_explicit(&ring->tail, memory_order_acquire))
            CHECK(now_ns() < end);
        CHECK_INT((uintptr_t)ring->events[head].data, i + 1);
        CHECK_INT((long)ring->events[head].res, BLOCK);
        head = (head + 1) % ring->nr;
        atomic_store_explicit(&ring->head, head, memory_order_release);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
