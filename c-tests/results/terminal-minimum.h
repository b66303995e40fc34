/* The body of terminal-minimum-posix.c and terminal-minimum-libaio.c, which say what it does. */
#include "one-request.h"

#include "terminal.h"

#define ROUNDS 20

static struct terminal t;

/* Types the five bytes one after the other, each when the terminal has had time to wake a reader. */
static void *typist(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        for (int k = 0; k < 5; k++) {
            type(&t, "x");
            pause_us(1000);
        }
    }
    return NULL;
}

int main(void)
{
    pthread_t thread;
    char buffer[16];

    start_deadline();
    t = raw_terminal(5, 255);
    thread = start_thread(typist, NULL);
    STEP("a read of five bytes that come one by one");
    for (int i = 0; i < ROUNDS; i++)
        CHECK_INT(one_request(ONE_READ, t.terminal, buffer, 5, 0), 5);
    join_thread(thread);
    return 0;
}
