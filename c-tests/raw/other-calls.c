// face: libaio
/* Every other call through syscall() passes untouched: six arguments, values, errors, errno [A2]. */
#include "iocb.h"
#include <linux/futex.h>

static _Atomic unsigned word;

static void *waker(void *unused)
{
    WAIT_UNTIL(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1L, NULL, NULL, 0L) == 1);
    return unused;
}

int main(void)
{
    long page = sysconf(_SC_PAGESIZE);
    int from = pattern_file(O_RDWR, 2 * (size_t)page, 0), to = temp_file(O_RDWR);
    io_context_t context = make_context(8); /* whatever the library does on first use is done */
    loff_t in = 1000, out = 0;
    char buffer[2000];
    char *memory;
    pthread_t thread;

    errno = 4242;
    CHECK_INT(syscall(SYS_getpid), getpid());
    CHECK_INT(syscall(SYS_gettid), gettid());
    CHECK_INT(errno, 4242);
    CHECK_INT(syscall(99999L), -1);
    CHECK_INT(errno, ENOSYS);
    CHECK_INT(syscall(-1L), -1);
    CHECK_INT(errno, ENOSYS);
    CHECK_INT(syscall(SYS_read, -1L, buffer, 1L), -1);
    CHECK_INT(errno, EBADF);

    /* Six arguments that all matter. */
    memory = (char *)syscall(SYS_mmap, NULL, 2 * page, (long)PROT_READ, (long)MAP_PRIVATE, (long)from, page);
    CHECK(memory != MAP_FAILED);
    check_pattern_at(memory, 4096, 0, page);
    CHECK_INT(syscall(SYS_mmap, NULL, 4096L, (long)PROT_READ, (long)MAP_PRIVATE, (long)from, 1L), -1);
    CHECK_INT(errno, EINVAL);
    CHECK_INT(syscall(SYS_copy_file_range, (long)from, &in, (long)to, &out, 2000L, 0L), 2000);
    CHECK_INT(pread(to, buffer, 2000, 0), 2000);
    check_pattern_at(buffer, 2000, 0, 1000);
    CHECK_INT(in, 3000);
    CHECK_INT(out, 2000);
    CHECK_INT(syscall(SYS_copy_file_range, (long)from, &in, (long)to, &out, 2000L, 1L), -1);
    CHECK_INT(errno, EINVAL);
    CHECK_INT(syscall(SYS_pwrite64, (long)to, "abc", 3L, 10L), 3);
    CHECK_INT(syscall(SYS_preadv2, (long)to, &(struct iovec){buffer, 3}, 1L, 10L, 0L, 0L), 3);
    CHECK(memcmp(buffer, "abc", 3) == 0);

    /* One that blocks, in one thread, while another calls through. */
    CHECK(pthread_create(&thread, NULL, waker, NULL) == 0);
    CHECK_INT(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0L, NULL, NULL, (long)FUTEX_BITSET_MATCH_ANY), 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
