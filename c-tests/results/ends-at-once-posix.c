/* aio_read ends at once where read(2) does, also if poll(2) says that there is nothing to be read: of a terminal that was opened
   for writing alone, and of a device that refuses the length [B4] [B15]. (Of a FIFO: fifo-without-writers-posix.) */
// oracle-deadline: 20
#include "aiocb.h"

#include <pty.h>

int main(void)
{
    char in[100];
    struct aiocb cb;
    int fd, master, terminal;

    if (openpty(&master, &terminal, NULL, NULL, NULL) == 0) {
        fd = MUST(open(ptsname(master), O_WRONLY | O_NOCTTY));
        cb = make_cb(fd, in, sizeof in, 0);
        CHECK_INT(aio_read(&cb), 0);
        CHECK_ENDS_WITH(&cb, EBADF);
    }

    fd = open("/dev/rtc0", O_RDONLY);
    if (fd != -1 && read(fd, in, 1) == -1 && errno == EINVAL) {
        cb = make_cb(fd, in, 1, 0);
        CHECK_INT(aio_read(&cb), 0);
        CHECK_ENDS_WITH(&cb, EINVAL);
    }
    return 0;
}
