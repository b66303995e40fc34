/* A request that completes while the thread that submitted it sleeps in nanosleep or clock_nanosleep does not wake it early
   [C1]. */
#include "completes-during.h"

int main(void)
{
    for (int i = 0; i < 10; i++) {
        struct timespec time = { 0, 60000000 };
        int64_t start;

        complete_during_wait(NULL);
        start = now_ns();
        CHECK_INT(nanosleep(&time, NULL), 0);
        CHECK(now_ns() - start >= 60000000);
        completed_during_wait();

        complete_during_wait(NULL);
        start = now_ns();
        CHECK_INT(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL), 0);
        CHECK(now_ns() - start >= 60000000);
        completed_during_wait();
    }
    return 0;
}
