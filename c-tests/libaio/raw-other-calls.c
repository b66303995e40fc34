/* Every other call through syscall() passes untouched: six arguments, values, errors, errno (A2). */
#include "libaio-test.h"
#include <linux/futex.h>

static _Atomic unsigned word;

static void *waker(void *unused)
{
    WAIT_FOR(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1L, NULL, NULL, 0L) == 1);
    return unused;
}

int main(void)
{
    int from = scratch(O_RDWR, 8192), to = scratch(O_RDWR, 0);
    io_context_t context = context_of(8); /* whatever the library does on first use is done */
    loff_t in = 1000, out = 0;
    char buffer[2000];
    char *memory;
    pthread_t thread;

    errno = 4242;
    EQ(syscall(SYS_getpid), getpid());
    EQ(syscall(SYS_gettid), gettid());
    EQ(errno, 4242);
    EQ(syscall(99999L), -1);
    EQ(errno, ENOSYS);
    EQ(syscall(-1L), -1);
    EQ(errno, ENOSYS);
    EQ(syscall(SYS_read, -1L, buffer, 1L), -1);
    EQ(errno, EBADF);

    /* Six arguments that all matter. */
    memory = (char *)syscall(SYS_mmap, NULL, 8192L, (long)PROT_READ, (long)MAP_PRIVATE, (long)from, 4096L);
    CHECK(memory != MAP_FAILED);
    check_bytes(memory, 4096, 4096);
    EQ(syscall(SYS_mmap, NULL, 4096L, (long)PROT_READ, (long)MAP_PRIVATE, (long)from, 1L), -1);
    EQ(errno, EINVAL);
    EQ(syscall(SYS_copy_file_range, (long)from, &in, (long)to, &out, 2000L, 0L), 2000);
    EQ(pread(to, buffer, 2000, 0), 2000);
    check_bytes(buffer, 2000, 1000);
    EQ(in, 3000);
    EQ(out, 2000);
    EQ(syscall(SYS_copy_file_range, (long)from, &in, (long)to, &out, 2000L, 1L), -1);
    EQ(errno, EINVAL);
    EQ(syscall(SYS_pwrite64, (long)to, "abc", 3L, 10L), 3);
    EQ(syscall(SYS_preadv2, (long)to, &(struct iovec){buffer, 3}, 1L, 10L, 0L, 0L), 3);
    CHECK(memcmp(buffer, "abc", 3) == 0);

    /* One that blocks, in one thread, while another calls through. */
    CHECK(pthread_create(&thread, NULL, waker, NULL) == 0);
    EQ(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0L, NULL, NULL, (long)FUTEX_BITSET_MATCH_ANY), 0);
    CHECK(pthread_join(thread, NULL) == 0);
    EQ(io_destroy(context), 0);
    return 0;
}
