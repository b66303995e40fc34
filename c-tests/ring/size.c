// face: libaio
/* The ring's nr for a given io_setup(nr_events) is the kernel's: twice max(nr_events, 4 * CPUs), plus 2, rounded up
   to whole pages [A1] [A10] (fs/aio.c ioctx_alloc and aio_setup_ring). */
#include "iocb.h"

/* /sys/devices/system/cpu/possible is a list such as "0-3,8". */
static unsigned possible_cpus(void)
{
    FILE *file = fopen("/sys/devices/system/cpu/possible", "re");
    unsigned from, to, count = 0;
    char text[256], *at = text;
    int used;

    if (!file || !fgets(text, sizeof(text), file))
        SKIP("the number of possible CPUs is not told");
    fclose(file);
    while (sscanf(at, "%u%n", &from, &used) == 1) {
        at += used;
        to = from;
        if (*at == '-' && sscanf(at, "-%u%n", &to, &used) == 1)
            at += used;
        count += to - from + 1;
        if (*at == ',')
            at++;
    }
    CHECK(count > 0);
    return count;
}

int main(void)
{
    static const unsigned sizes[] = {1, 2, 3, 8, 9, 63, 64, 127, 128, 255, 256, 1000, 1024, 4096};
    static const struct {
        unsigned nr_events, nr;
    } on_two_cpus[] = {{1, 127}, {128, 383}, {256, 639}, {1024, 2175}};
    unsigned cpus = possible_cpus(), page = (unsigned)sysconf(_SC_PAGESIZE);

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        io_context_t context = make_context((int)sizes[i]);
        unsigned wanted = 2 * (sizes[i] > 4 * cpus ? sizes[i] : 4 * cpus) + 2;
        unsigned pages = (32 + 32 * wanted + page - 1) / page;

        if (ring_of(context)->nr != (pages * page - 32) / 32)
            FAIL("io_setup(%u): nr %u, expected %u", sizes[i], ring_of(context)->nr, (pages * page - 32) / 32);
        for (size_t k = 0; cpus == 2 && page == 4096 && k < 4; k++)
            if (on_two_cpus[k].nr_events == sizes[i])
                CHECK_INT(ring_of(context)->nr, on_two_cpus[k].nr);
        CHECK_INT(io_destroy(context), 0);
    }
    return 0;
}
