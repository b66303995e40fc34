/* aio_cancel returns for a read of a terminal also if the kernel cannot say whether the terminal has data (poll(2) fails
   with ENOMEM) [B9]. The read is cancelled, or it goes on (AIO_NOTCANCELED) and gets what is written later. */
// oracle-deadline: 5
#include "aiocb.h"
#include "faults.h"
#include "process.h"

#include <pty.h>

int main(void)
{
    static const struct fault poll = { .name = "ppoll", .number = SYS_ppoll };
    struct text text = library_text();
    int master, terminal, left = 0;

    if (openpty(&master, &terminal, NULL, NULL, NULL) == -1)
        SKIP("openpty: %s", strerror(errno));
    if (text.start && set_filter(text, &poll, SECCOMP_RET_ERRNO | ENOMEM, 0) == -1)
        SKIP("seccomp: %s", strerror(errno));
    alarm(DEADLINE_SECONDS);
    for (int round = 0; round < 50; round++) {
        char in[32];
        struct aiocb cb = make_cb(terminal, in, sizeof in, 0);

        CHECK_INT(aio_read(&cb), 0);
        /* At different moments of its way. */
        for (int i = 0; i < round * 20; i++)
            getppid();
        int answer = aio_cancel(terminal, &cb);

        if (answer == AIO_CANCELED) {
            AWAIT_CB(&cb);
            CHECK_INT(aio_error(&cb), ECANCELED);
            CHECK_INT(aio_return(&cb), -1);
            continue;
        }
        CHECK_INT(answer, AIO_NOTCANCELED);
        left++;
        CHECK_INT(write(master, "answer\n", 7), 7);
        CHECK_DONE(&cb, 7);
    }
    printf("%d of 50 went on\n", left);
    return 0;
}
