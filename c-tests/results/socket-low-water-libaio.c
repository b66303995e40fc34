// face: libaio
/* A read of a TCP socket with SO_RCVLOWAT of 10 is not done while 4 bytes are there; it is done with all bytes when
   there are more. (The original may wait for them in io_submit.)

   [F4] socket(7), SO_RCVLOWAT: a receive call blocks until that many bytes are there; io_submit(2): the event carries
   what read(2) would return. */
#include "behaviour.h"
#include "iocb.h"
#include "tcp-pair.h"

static io_context_t context;
static char buffer[64];
static int ends[2];
static long result;

static void *reader(void *unused)
{
    struct iocb iocb;

    (void)unused;
    io_prep_pread(&iocb, ends[0], buffer, sizeof buffer, 0);
    result = outcome(context, &iocb);
    return NULL;
}

int main(void)
{
    unsigned char *memory;
    io_context_t second;
    struct iocb iocb;
    pthread_t thread;
    int low = 10, other;

    start_deadline();
    tcp_pair(ends);
    MUST(setsockopt(ends[0], SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low));
    context = make_context(4);
    second = make_context(4);
    other = scratch_file("other", O_RDWR | O_DIRECT, 4096, 1);
    memory = new_pages(4096);
    thread = start_thread(reader, NULL);
    CHECK_INT(write(ends[1], "1234", 4), 4);
    /* Whatever goes by readiness has seen the bytes by the time that requests made after them are done. */
    io_prep_pread(&iocb, other, memory, 4096, 0);
    for (int i = 0; i < 20; i++)
        CHECK_INT(outcome(second, &iocb), 4096);
    /* Ten more: Linux wakes a reader that has taken the four when as many are there as the mark says. */
    CHECK_INT(write(ends[1], "5678901234", 10), 10);
    STEP("a read whose low-water mark is reached");
    join_thread(thread);
    CHECK_INT(result, 14);
    return 0;
}
