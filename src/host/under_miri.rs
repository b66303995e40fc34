//! The system calls that tests need under Miri, which runs no `syscall` instruction: made by functions of the C library's that it
//! knows. All others fail with `ENOSYS`.

use core::ffi::{c_int, c_long};
use core::ptr;

use super::address_range::PAGE_BYTES;

/// Makes the system call. The kernel's result: a value, or `-errno`.
///
/// # Safety
/// As for [`super::kernel::trap`].
#[must_use]
pub unsafe fn call(number: c_long, [a, b, c, d, e, f]: [usize; 6]) -> isize {
    // SAFETY: the caller's promise.
    unsafe {
        let answer = match number {
            // No shared mapping: it knows private ones alone, and nothing forks there.
            libc::SYS_mmap => {
                let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
                libc::mmap(ptr::with_exposed_provenance_mut(a), b, c as c_int, flags, e as c_int, f as i64)
                    .expose_provenance() as isize
            }
            libc::SYS_munmap => libc::munmap(ptr::with_exposed_provenance_mut(a), b) as isize,
            libc::SYS_futex if matches!(b as c_int & !libc::FUTEX_PRIVATE_FLAG, libc::FUTEX_WAKE) => {
                libc::syscall(number, ptr::with_exposed_provenance::<u32>(a), b as c_int, c as c_int) as isize
            }
            libc::SYS_futex if matches!(b as c_int & !libc::FUTEX_PRIVATE_FLAG, libc::FUTEX_WAIT_BITSET) => {
                libc::syscall(
                    number,
                    ptr::with_exposed_provenance::<u32>(a),
                    b as c_int,
                    c as c_int,
                    ptr::with_exposed_provenance::<libc::timespec>(d),
                    ptr::without_provenance::<u32>(e),
                    f as u32,
                ) as isize
            }
            // Whether a page can be touched (`user_access`): Miri itself ends a test that touches what it may not.
            libc::SYS_futex if b as c_int & !libc::FUTEX_PRIVATE_FLAG == libc::FUTEX_CMP_REQUEUE => page_is_good(a),
            libc::SYS_futex if b as c_int & !libc::FUTEX_PRIVATE_FLAG == libc::FUTEX_WAKE_OP => page_is_good(e),
            libc::SYS_gettid => libc::syscall(number) as isize,
            libc::SYS_getpid => libc::getpid() as isize,
            // Nothing sends signals there, and nothing forks.
            libc::SYS_rt_sigprocmask => 0,
            libc::SYS_madvise if c as c_int != libc::MADV_REMOVE => 0,
            _ => return -(libc::ENOSYS as isize),
        };
        if answer == -1 { -(*libc::__errno_location() as isize) } else { answer }
    }
}

/// The kernel's answer about the page at `address`: nothing is mapped in the first one.
const fn page_is_good(address: usize) -> isize {
    if address < PAGE_BYTES { -(libc::EFAULT as isize) } else { 0 }
}
