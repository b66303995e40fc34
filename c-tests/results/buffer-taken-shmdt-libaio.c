// face: libaio
// columns: oracle preload drop-in threads -- the column engine keeps O_DIRECT away from the kernel's AIO, which pins buffers in io_submit
/* shmdt of the shared memory that is the buffer right after io_submit of O_DIRECT writes changes nothing in what they
   write.

   [F6] io_submit(2): Linux pins the pages of an O_DIRECT request while it is submitted (get_user_pages), and a later
   change of the mapping does not reach them. */
#include "buffer-taken.h"

static unsigned char *shared_memory(void)
{
    int id = shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600);
    void *memory;

    if (id == -1)
        SKIP("no shared memory of System V: %s", strerror(errno));
    memory = shmat(id, NULL, 0);
    CHECK(memory != (void *)-1);
    MUST(shmctl(id, IPC_RMID, NULL));
    return memory;
}

static void take_away(unsigned char *memory)
{
    MUST(shmdt(memory));
}

int main(void)
{
    return run_buffer_taken(shared_memory, take_away);
}
