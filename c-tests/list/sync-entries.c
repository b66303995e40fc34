/* glibc's own opcodes for syncs are taken in a list, whatever the priority, and only as they are: with other bits they are unknown
   opcodes, and these have their priority checked [B11] [B14] (glibc rt/aio_misc.c; measured). */
#include "list.h"

int main(void)
{
    static const struct {
        int opcode, priority, result, error;
    } cases[] = {
        { 3, 0, 0, 0 },        { 4, 0, 0, 0 },         { 3, -1, 0, 0 },       { 4, 21, 0, 0 },
        { 5, 0, -1, EINVAL },  { 131, 0, -1, EINVAL }, { 132, 0, -1, EINVAL }, { 260, 0, -1, EINVAL },
        { 5, -1, -1, EINVAL }, { 132, 21, -1, EINVAL },
    };
    int fd = pattern_file(O_RDWR, 100, 1);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct aiocb cb = make_entry(cases[i].opcode, fd, NULL, 0, 0), *list[] = { &cb };

        cb.aio_reqprio = cases[i].priority;
        CHECK_INT(lio_listio(LIO_WAIT, list, 1, NULL), cases[i].result);
        CHECK_INT(aio_error(&cb), cases[i].error);
        CHECK_INT(aio_return(&cb), cases[i].result);
    }
    return 0;
}
