// face: libaio
/* A read of a terminal has had its first byte and waits for the others (VMIN 5, VTIME 25.5 s): to poll(2) the terminal
   is ready, and a read sleeps. Meanwhile other threads' libaio requests are done, and close, dup2, fcntl, munmap and
   io_destroy return.

   [D1] The rule: the kernel's AIO has no thread that requests share; a request that sleeps, sleeps in the io_submit of
   its own thread or nowhere. */
#include "behaviour.h"
#include "iocb.h"

#include "isolation.h"
#include "terminal.h"

int main(void)
{
    unsigned char buffer[8];
    struct terminal t;

    start_deadline();
    t = raw_terminal(5, 255);
    rest_prepare();
    io_prep_pread(&held.iocb, t.terminal, buffer, sizeof buffer, 0);
    held_start();
    STEP("the request being held");
    type(&t, "1");
    rest_of_libaio_works();
    held_is_pending();
    type(&t, "2345");
    held_ends(5);
    CHECK(memcmp(buffer, "12345", 5) == 0);
    STEP("exit");
    return 0;
}
