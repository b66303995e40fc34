/* The body of fifo-without-writers-posix.c and fifo-without-writers-libaio.c, which say what it does. */
#include "one-request.h"

#include <sys/stat.h>

int main(void)
{
    const char *path = test_path("fifo");
    char in[8];
    int fd, writer;

    start_deadline();
    CHECK_INT(mkfifo(path, 0600), 0);
    fd = MUST(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    STEP("an open that does not wait, a read that may: nobody has ever written");
    MUST(fcntl(fd, F_SETFL, 0));
    CHECK_INT(one_request(ONE_READ, fd, in, sizeof in, 0), 0);
    CHECK_INT(one_request(ONE_READ, fd, in, sizeof in, 0), 0);
    STEP("a writer has come and gone");
    writer = MUST(open(path, O_WRONLY | O_CLOEXEC));
    CHECK_INT(write(writer, "early", 5), 5);
    CHECK_INT(close(writer), 0);
    CHECK_INT(one_request(ONE_READ, fd, in, sizeof in, 0), 5);
    CHECK_INT(one_request(ONE_READ, fd, in, sizeof in, 0), 0);
    return 0;
}
