/* With RLIMIT_STACK at 64 KiB, and with it unlimited, AIO starts and callbacks run; a thread with the smallest stack may
   submit [C4]. */
// unsanitized: tsan -- the runtime needs more stack
#include "aiocb.h"
#include "process.h"

static int fd;
static sem_t called;

static void callback(union sigval value)
{
    (void)value;
    sem_post(&called);
}

static void *use_aio(void *unused)
{
    char in[10];
    struct aiocb cb = make_cb(fd, in, sizeof in, 0), *list[] = { &cb };

    notify_by_thread(&cb, callback, NULL);
    cb.aio_lio_opcode = LIO_READ;
    CHECK_INT(aio_read(&cb), 0);
    AWAIT(&called);
    CHECK_DONE(&cb, sizeof in);
    CHECK_INT(lio_listio(LIO_WAIT, list, 1, NULL), 0);
    AWAIT(&called);
    return unused;
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        rlim_t limits[] = { 64 << 10, 256 << 10, RLIM_INFINITY };

        for (int i = 0; i < 3; i++) {
            pid_t child = MUST(fork());
            if (child == 0) {
                set_limit(RLIMIT_STACK, limits[i]);
                execl("/proc/self/exe", argv[0], "again", NULL);
                FAIL("exec: %s", strerror(errno));
            }
            CHECK_CHILD(child, 0);
        }
        return 0;
    }
    pthread_attr_t attributes;
    pthread_t thread;

    fd = pattern_file(O_RDWR, 100, 1);
    sem_init(&called, 0, 0);
    use_aio(NULL);
    pthread_attr_init(&attributes);
    CHECK_INT(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN + 8192), 0);
    CHECK_INT(pthread_create(&thread, &attributes, use_aio, NULL), 0);
    join_thread(thread);
    return 0;
}
