/* One request of 64 MiB moves all its bytes, in both directions; a hole reads as zeros [F5]. */
// unsanitized: valgrind -- it writes memory that was never written to
#include "aiocb.h"

#define SIZE (64 << 20)

int main(void)
{
    int fd = temp_file(O_RDWR);
    char *bytes = malloc(SIZE);

    for (size_t i = 0; i < SIZE; i += 4096)
        *(size_t *)(bytes + i) = i;
    struct aiocb cb = make_cb(fd, bytes, SIZE, SIZE);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_DONE(&cb, SIZE);
    CHECK_INT(lseek(fd, 0, SEEK_END), 2LL * SIZE);
    memset(bytes, 'x', SIZE);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, SIZE);
    for (size_t i = 0; i < SIZE; i += 4096)
        CHECK_INT(*(size_t *)(bytes + i), (long long)i);
    cb.aio_offset = 0;
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, SIZE);
    CHECK(is_all(bytes, SIZE, 0));
    return 0;
}
