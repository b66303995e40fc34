/* fork with O_DIRECT requests in flight, by the thread that made them or by another [C3]: the child can use AIO at once, in
   the thread that forked and in new ones, and the parent loses nothing. */
// unsanitized: tsan -- the runtime ends a child in which a new thread has the address of one of its parent's
// oracle-deadline: 5
#include "sleeper.h"

static int fd;

static void *uses(void *unused)
{
    struct reads own = { .in = NULL };

    read_blocks(fd, 80);
    start_reads(fd, &own, 16);
    check_reads(&own, 16);
    free(own.in);
    return unused;
}

int main(void)
{
    struct reads own = { .in = NULL };

    fd = direct_file();
    for (int round = 0; round < 30; round++) {
        struct sleeper sleeper = { 0 };

        start_sleeper(&sleeper, fd, 80);
        read_blocks(fd, 80);
        start_reads(fd, &own, 16);
        pid_t child = MUST(fork());

        if (child == 0) {
            alarm(DEADLINE_SECONDS);
            uses(NULL);
            join_thread(start_thread(uses, NULL));
            /* It may end with requests in flight, as it may have begun. */
            start_reads(fd, &own, 16);
            _exit(0);
        }
        check_reads(&own, 16);
        check_sleeper(&sleeper);
        CHECK_CHILD(child, 0);
        end_sleeper(&sleeper);
    }
    return 0;
}
