/* The body of sizes.c and 65536.c, which say what they do: lists of SIZES requests, at most MOST. */
#include "list.h"
#include "process.h"

static struct aiocb cb[MOST], *list[MOST];
static char out[MOST], in[MOST];

int main(void)
{
    int fd = temp_file(O_RDWR);
    static const int sizes[] = { SIZES };
    struct sigevent event = signal_event(SIGRTMIN, 1);

    block_signal(SIGRTMIN);
    fill_pattern(out, sizeof out, 1);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
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
