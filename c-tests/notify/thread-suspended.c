/* A runtime that stops its threads by a signal, and has each answer: threads that enter it in a callback are on its list until the
   destructor of their thread-specific data takes them off. They answer as long, also while that destructor waits [B6].

   Mono's collector (sgen): mono_threads_attach, mono_thread_info_suspend_lock; sigaction(2); glibc's aio_notify.c. */
#include "aiocb.h"
#include "process.h"

#define MOST 1000

static sem_t called, answered;
static pthread_mutex_t threads = PTHREAD_MUTEX_INITIALIZER;
static pthread_t attached[MOST];
static int count;
static pthread_key_t key;

static void answers(int signal)
{
    (void)signal;
    sem_post(&answered);
}

static void detaches(void *own)
{
    (void)own;
    pthread_mutex_lock(&threads);
    for (int i = 0; i < count; i++)
        if (pthread_equal(attached[i], pthread_self()))
            attached[i] = attached[--count];
    pthread_mutex_unlock(&threads);
}

static void callback(union sigval value)
{
    (void)value;
    if (!pthread_getspecific(key)) {
        CHECK_INT(pthread_setspecific(key, &key), 0);
        pthread_mutex_lock(&threads);
        CHECK(count < MOST);
        attached[count++] = pthread_self();
        pthread_mutex_unlock(&threads);
    }
    sem_post(&called);
}

static void stop_the_world(void)
{
    pthread_mutex_lock(&threads);
    for (int i = 0; i < count; i++)
        CHECK_INT(pthread_kill(attached[i], SIGUSR1), 0);
    for (int i = 0; i < count; i++)
        AWAIT(&answered);
    pthread_mutex_unlock(&threads);
}

int main(void)
{
    struct sigaction action = { .sa_handler = answers, .sa_flags = SA_RESTART };
    int fd = pattern_file(O_RDWR, 100, 1);

    sem_init(&called, 0, 0);
    sem_init(&answered, 0, 0);
    CHECK_INT(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_INT(pthread_key_create(&key, detaches), 0);
    STEP("a thread at a time");
    for (int i = 0; i < 100; i++) {
        read_and_be_called(fd, callback, i, &called);
        stop_the_world();
    }
    STEP("several at a time");
    for (int i = 0; i < 100; i++) {
        enum { AT_ONCE = 5 };
        struct aiocb cbs[AT_ONCE];
        char in[AT_ONCE][10];

        for (int n = 0; n < AT_ONCE; n++) {
            cbs[n] = make_cb(fd, in[n], sizeof in[n], 0);
            notify_by_thread(&cbs[n], callback, NULL);
            CHECK_INT(aio_read(&cbs[n]), 0);
        }
        for (int n = 0; n < AT_ONCE; n++) {
            AWAIT(&called);
            stop_the_world();
        }
    }
    return 0;
}
