// face: libaio
/* mprotect(PROT_NONE) of the buffer right after io_submit of O_DIRECT writes changes nothing in what they write.

   [F6] io_submit(2): Linux pins the pages of an O_DIRECT request while it is submitted (get_user_pages), and a later
   change of the mapping does not reach them. */
#include "buffer-taken.h"

static void take_away(unsigned char *memory)
{
    MUST(mprotect(memory, SIZE, PROT_NONE));
}

int main(void)
{
    return run_buffer_taken(private_memory, take_away);
}
