// face: libaio
/* What io_submit itself refuses, for every opcode and state of the descriptor [A4] (fs/aio.c io_submit_one).
   The table is opcode × descriptor × return; 1 is "taken". */
#include "iocb.h"

enum { READER, WRITER, BOTH, PATH, DIRECTORY, CLOSED, NEGATIVE, PIPE_IN, PIPE_OUT, STATES };

int main(void)
{
    static const struct {
        int opcode, want[STATES];
    } table[] = {
        /*                  reader  writer  both path  directory closed  negative pipe-in pipe-out */
        {IO_CMD_PREAD,   {1, -EBADF, 1, -EBADF, -EINVAL, -EBADF, -EBADF, 0, -EBADF}},
        {IO_CMD_PWRITE,  {-EBADF, 1, 1, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, 1}},
        {IO_CMD_PREADV,  {1, -EBADF, 1, -EBADF, -EINVAL, -EBADF, -EBADF, 0, -EBADF}},
        {IO_CMD_PWRITEV, {-EBADF, 1, 1, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, 1}},
        {IO_CMD_FSYNC,   {1, 1, 1, -EBADF, 1, -EBADF, -EBADF, -EINVAL, -EINVAL}},
        {IO_CMD_FDSYNC,  {1, 1, 1, -EBADF, 1, -EBADF, -EBADF, -EINVAL, -EINVAL}},
        {IO_CMD_POLL,    {1, 1, 1, -EBADF, 1, -EBADF, -EBADF, 1, 1}},
        {IO_CMD_NOOP,    {-EINVAL, -EINVAL, -EINVAL, -EBADF, -EINVAL, -EBADF, -EBADF, -EINVAL, -EINVAL}},
        {4,              {-EINVAL, -EINVAL, -EINVAL, -EBADF, -EINVAL, -EBADF, -EBADF, -EINVAL, -EINVAL}},
        {9,              {-EINVAL, -EINVAL, -EINVAL, -EBADF, -EINVAL, -EBADF, -EBADF, -EINVAL, -EINVAL}},
        {-1,             {-EINVAL, -EINVAL, -EINVAL, -EBADF, -EINVAL, -EBADF, -EBADF, -EINVAL, -EINVAL}},
        {256,            {-EINVAL, -EINVAL, -EINVAL, -EBADF, -EINVAL, -EBADF, -EBADF, -EINVAL, -EINVAL}},
    };
    int file = pattern_file(O_RDWR, 4096, 0), ends[2];
    int states[STATES] = {reopen(file, O_RDONLY), reopen(file, O_WRONLY), file, reopen(file, O_PATH),
                          open("/", O_RDONLY | O_DIRECTORY), 0, -1, 0, 0};
    io_context_t context = make_context(8);
    char buffer[16] = "";
    struct iovec vector = {buffer, 8};

    CHECK(pipe(ends) == 0);
    states[PIPE_IN] = ends[0];
    states[PIPE_OUT] = ends[1];
    CHECK_INT(write(ends[1], "some bytes", 10), 10);
    states[CLOSED] = dup(file);
    close(states[CLOSED]);
    for (size_t row = 0; row < sizeof(table) / sizeof(table[0]); row++) {
        for (int state = 0; state < STATES; state++) {
            struct iocb iocb, *list = &iocb;
            struct io_event event;
            int ret;

            if (table[row].want[state] == 0)
                continue; /* waits for data inside io_submit, or not: another program's matter */
            memset(&iocb, 0, sizeof(iocb));
            iocb.aio_fildes = states[state];
            iocb.aio_lio_opcode = (short)table[row].opcode;
            if (table[row].opcode <= 1)
                io_prep_pread(&iocb, states[state], buffer, 8, 0);
            if (table[row].opcode == IO_CMD_PREADV || table[row].opcode == IO_CMD_PWRITEV)
                io_prep_preadv(&iocb, states[state], &vector, 1, 0);
            if (table[row].opcode == IO_CMD_POLL)
                iocb.u.poll.events = POLLIN | POLLOUT;
            iocb.aio_lio_opcode = (short)table[row].opcode;
            ret = io_submit(context, 1, &list);
            if (ret != table[row].want[state])
                FAIL("opcode %d, state %d: %d, expected %d", table[row].opcode, state, ret, table[row].want[state]);
            if (ret == 1)
                reap(context, 1, &event);
            none_left(context);
        }
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
