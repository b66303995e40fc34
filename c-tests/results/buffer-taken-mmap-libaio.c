// face: libaio
// columns: oracle preload drop-in threads -- the column engine keeps O_DIRECT away from the kernel's AIO, which pins buffers in io_submit
/* mmap(MAP_FIXED) of other memory over the buffer right after io_submit of O_DIRECT writes changes nothing in what they
   write.

   [F6] io_submit(2): Linux pins the pages of an O_DIRECT request while it is submitted (get_user_pages), and a later
   change of the mapping does not reach them. */
#include "buffer-taken.h"

static void take_away(unsigned char *memory)
{
    CHECK(mmap(memory, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == memory);
}

int main(void)
{
    return run_buffer_taken(private_memory, take_away);
}
