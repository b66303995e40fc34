// face: libaio
/* A read of a terminal ends as VMIN and VTIME say: with 0 bytes at once (0, 0), with 0 bytes after three tenths of a
   second (0, 3), with the bytes that came when no other follows (5, 1).

   [F4] termios(3), noncanonical mode; io_submit(2): the events carry what read(2) and write(2) would return. */
#include "one-request.h"

#include "terminal.h"

int main(void)
{
    char buffer[16];
    struct terminal t;

    start_deadline();
    STEP("a read with VMIN 0 and VTIME 0");
    t = raw_terminal(0, 0);
    CHECK_INT(one_request(ONE_READ, t.terminal, buffer, sizeof buffer, 0), 0);
    type(&t, "ab");
    CHECK_INT(one_request(ONE_READ, t.terminal, buffer, sizeof buffer, 0), 2);
    STEP("a read with VMIN 0 and VTIME 3");
    t = raw_terminal(0, 3);
    CHECK_INT(one_request(ONE_READ, t.terminal, buffer, sizeof buffer, 0), 0);
    type(&t, "abc");
    CHECK_INT(one_request(ONE_READ, t.terminal, buffer, sizeof buffer, 0), 3);
    STEP("a read with VMIN 5 and VTIME 1 of which the rest never comes");
    t = raw_terminal(5, 1);
    type(&t, "abcd");
    CHECK_INT(one_request(ONE_READ, t.terminal, buffer, sizeof buffer, 0), 4);
    return 0;
}
