// face: libaio
/* Random verified O_DIRECT I/O of all kinds, 32 in flight, with fsync in between [A1] [A6] [A13]. */
#include "random-io.h"

int main(void)
{
    int fds[2] = {pattern_file(O_RDWR | O_DIRECT, RANDOM_BLOCKS * 4096, 0), 0};

    fds[1] = reopen(fds[0], O_RDWR | O_DIRECT);
    for (unsigned seed = 1; seed <= 3; seed++)
        random_io(seed, fds, 2, 4096, 3000);
    return 0;
}
