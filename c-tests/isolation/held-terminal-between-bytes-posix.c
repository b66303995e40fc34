// face: posix
/* A read of a terminal has had its first byte and waits for the others (VMIN 5, VTIME 25.5 s): to poll(2) the terminal
   is ready, and a read sleeps. Meanwhile the call that submitted it returns, other POSIX AIO requests are done, and
   close, dup2, fcntl and munmap return.

   [D1] The rule: glibc serves each descriptor by a helper thread, so that a request that sleeps delays no other and no
   call; aio_read(3), aio_write(3): the call returns when the request is queued. */
#include "isolation.h"
#include "terminal.h"

int main(void)
{
    struct aiocb first;
    unsigned char buffer[8];
    struct terminal t;

    start_deadline();
    t = raw_terminal(5, 255);
    rest_prepare();
    STEP("the submitting call");
    first = make_cb(t.terminal, buffer, sizeof buffer, 0);
    CHECK_INT(aio_read(&first), 0);
    STEP("the request being held");
    type(&t, "1");
    rest_of_posix_works();
    CHECK_PENDING(&first);
    type(&t, "2345");
    STEP("the request that was held");
    CHECK_DONE(&first, 5);
    CHECK(memcmp(buffer, "12345", 5) == 0);
    STEP("exit");
    return 0;
}
