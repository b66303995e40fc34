/* The body of terminal-modes-posix.c and terminal-modes-libaio.c, which say what it does. */
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
