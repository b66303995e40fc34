/* The body of fuse-flush-beside-threads-posix.c and -libaio.c, which say what it does. */
#include <pthread.h>

#include "without-statmount.h"

static void *stay(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static void start_another(void)
{
    pthread_t thread;

    if (access("/sys/class/bdi", F_OK) == -1)
        SKIP("no sysfs is mounted");
    CHECK_INT(pthread_create(&thread, NULL, stay, NULL), 0);
}

#define BEFORE_THE_FIRST() (without_statmount(), start_another())
#include "fuse-flush.h"
