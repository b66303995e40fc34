/* A list of 65,536 requests, waited for and not [B5] [B11]. */
// columns: preload threads without -- glibc does it too, but its time grows with the square: 50 s
#include "list.h"
#include "process.h"

static struct aiocb cb[65536], *list[65536];
static char out[65536], in[65536];

int main(void)
{
    int fd = temp_file(O_RDWR);
    int sizes[] = { 65536 };
    struct sigevent event = signal_event(SIGRTMIN, 1);

    block_signal(SIGRTMIN);
    fill_pattern(out, sizeof out, 1);
    for (int s = 0; s < 1; s++) {
        for (int i = 0; i < sizes[s]; i++) {
            cb[i] = make_entry(LIO_WRITE, fd, &out[i], 1, i);
            list[i] = &cb[i];
        }
        CHECK_INT(lio_listio(LIO_WAIT, list, sizes[s], NULL), 0);
        for (int i = 0; i < sizes[s]; i++) {
            CHECK_INT(aio_error(&cb[i]), 0);
            CHECK_INT(aio_return(&cb[i]), 1);
            cb[i] = make_entry(LIO_READ, fd, &in[i], 1, i);
        }
        memset(in, 0, sizeof in);
        CHECK_INT(lio_listio(LIO_NOWAIT, list, sizes[s], &event), 0);
        take_signal(SIGRTMIN);
        for (int i = 0; i < sizes[s]; i++) {
            CHECK_INT(aio_error(&cb[i]), 0);
            CHECK_INT(aio_return(&cb[i]), 1);
        }
        CHECK(is_pattern(in, sizes[s], 1));
    }
    return 0;
}
