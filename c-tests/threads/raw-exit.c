// unsanitized: asan tsan -- the runtime does not notice the end of a thread by a system call
/* Threads end by the system call exit(2) alone, unknown to the C library, with requests in flight: these end, and a later
   thread that is given the same stack and thread-local storage can use AIO [B13]. */
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
