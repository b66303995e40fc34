/* Threads end by the system call alone (exit(2)), with no word to the C library, and with requests in flight: these end, and a
   thread that begins afterwards, which is given the same stack and the same place for its own data, has AIO of its own. */
#include "direct.h"

static int fd, different;
static pthread_t former;

static void *ends(void *argument)
{
    struct reads *left = argument, own = { .in = NULL };

    different += !pthread_equal(pthread_self(), former);
    former = pthread_self();
    read_blocks(fd, 80);
    start_reads(fd, &own, 16);
    check_reads(&own, 16);
    free(own.in);
    start_reads(fd, left, 16);
    syscall(SYS_exit, 0);
    return NULL;
}

int main(void)
{
    static struct reads left[40];

    fd = direct_file();
    for (int round = 0; round < 40; round++) {
        join_thread(start_thread(ends, &left[round]));
        /* Waited for at once, or when others have come and gone. */
        if (round % 4 == 3)
            for (int i = round - 3; i <= round; i++)
                check_reads(&left[i], 16);
    }
    /* The C library keeps the stack for the next. */
    CHECK(different < 40);
    read_blocks(fd, 100);
    return 0;
}
