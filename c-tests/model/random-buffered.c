// face: libaio
/* Random verified buffered I/O, odd sizes and offsets, cold and cached, with fsync in between [A1] [A6] [A13] [A15]. */
#include "random-io.h"

int main(void)
{
    int fds[2] = {pattern_file(O_RDWR, RANDOM_BLOCKS * 4096, 0), 0};

    fds[1] = reopen(fds[0], O_RDWR);
    for (unsigned seed = 1; seed <= 4; seed++) {
        static const size_t units[] = {4096, 777, 1, 5000};

        random_io(seed, fds, 2, units[seed - 1], 3000);
        CHECK(fsync(fds[0]) == 0);
        posix_fadvise(fds[0], 0, 0, POSIX_FADV_DONTNEED);
    }
    return 0;
}
