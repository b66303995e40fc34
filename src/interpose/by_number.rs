//! The same for calls that a program makes by number, by `syscall(2)`.

use core::ffi::{c_int, c_long, c_uint};

use super::{close, file_flags, file_size_limit, hazards, seccomp, unshare};
use crate::host::descriptors;
use crate::host::kernel::{self, Errno, check};
use crate::host::thread_identity::{self, Own};
use crate::submission::hazards as noted;

/// Whether a call by this number changes something that [`call`] takes note of.
pub const fn is_noted(number: c_long) -> bool {
    match number {
        #[cfg(target_arch = "x86_64")]
        libc::SYS_dup2 => true,
        libc::SYS_close
        | libc::SYS_close_range
        | libc::SYS_dup3
        | libc::SYS_fcntl
        | libc::SYS_ioctl
        | libc::SYS_fanotify_init
        | libc::SYS_userfaultfd
        | libc::SYS_prctl
        | libc::SYS_seccomp
        | libc::SYS_setrlimit
        | libc::SYS_prlimit64
        | libc::SYS_capset
        | libc::SYS_setns
        | libc::SYS_unshare => true,
        _ => unshare::changes_own_rights(number),
    }
}

/// Makes a system call for the program, and takes note of what it changes.
///
/// # Errors
/// The kernel's.
///
/// # Safety
/// As for the system call.
pub unsafe fn call(number: c_long, arguments: [usize; 6]) -> Result<usize, Errno> {
    let [a, b, c, d, e, f] = arguments;
    before(number, a, b, c);
    // SAFETY: the caller's promise; what is made twice was refused.
    let system = || check(unsafe { kernel::call6(number, a, b, c, d, e, f) });
    let result = match number {
        libc::SYS_unshare => {
            unshare::without_helpers(system, |result| unshare::unshare_may_want_none(a as c_int, result.err()))
        }
        libc::SYS_setns => unshare::without_helpers(system, |result| unshare::setns_may_want_none(result.err())),
        libc::SYS_capset => unshare::while_changing_capabilities(system),
        _ => system(),
    };
    after(number, a, b, c, result.is_ok());
    result
}

fn before(number: c_long, a: usize, b: usize, c: usize) {
    match number {
        libc::SYS_close => descriptors::before_close(a as c_int),
        libc::SYS_dup3 => descriptors::before_close(b as c_int),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_dup2 => descriptors::before_close(b as c_int),
        libc::SYS_close_range => close::before_close_range(a as c_uint, b as c_uint, c as c_int),
        libc::SYS_fcntl => file_flags::before_fcntl(a as c_int, b as c_int, c),
        libc::SYS_setrlimit => file_size_limit::before_set(a as c_uint),
        libc::SYS_prlimit64 => file_size_limit::before_set(b as c_uint),
        libc::SYS_prctl => seccomp::before_prctl(a as c_int, b, c),
        libc::SYS_seccomp => seccomp::before_seccomp(a as c_uint, c),
        libc::SYS_ioctl => hazards::before_ioctl(b as u64),
        libc::SYS_fanotify_init => hazards::before_fanotify_init(a as c_uint),
        libc::SYS_userfaultfd => noted::note_slow_pages(),
        _ => {}
    }
}

fn after(number: c_long, a: usize, b: usize, c: usize, succeeded: bool) {
    match number {
        libc::SYS_close => descriptors::after_close(a as c_int),
        libc::SYS_dup3 => descriptors::after_close(b as c_int),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_dup2 => descriptors::after_close(b as c_int),
        libc::SYS_fcntl => file_flags::after_fcntl(a as c_int, b as c_int),
        libc::SYS_ioctl => hazards::after_ioctl(b as u64, succeeded),
        libc::SYS_setrlimit => file_size_limit::after_set(a as c_uint),
        libc::SYS_prlimit64 => file_size_limit::after_set(b as c_uint),
        libc::SYS_unshare => unshare::after_unshare(a as c_int, succeeded),
        libc::SYS_close_range => close::after_close_range(c as c_int, succeeded),
        number if succeeded && unshare::changes_own_rights(number) => thread_identity::note_separate(Own::Rights),
        _ => {}
    }
}
