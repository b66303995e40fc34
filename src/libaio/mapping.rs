//! The functions of the C library by which a program unmaps, moves or protects memory. The ring behind a context is the
//! program's to move (the context goes with it) and to unmap (it is none any more), as with the kernel's AIO; and what was
//! known of other memory is forgotten.
//!
//! All are as thread-safe and async-signal-safe as the originals, and set `errno` as they do.

use core::ffi::{c_int, c_void};

use super::{destroy, registry, unmap_guard, user_access};
use crate::host::kernel::{Errno, syscall};

/// The C form of an answer: -1 and `errno`.
pub(super) fn returned(answer: Result<usize, Errno>) -> isize {
    match answer {
        Ok(value) => value as isize,
        Err(Errno(number)) => {
            // SAFETY: errno is this thread's.
            unsafe { *libc::__errno_location() = number };
            -1
        }
    }
}

/// `munmap(2)`.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn munmap(address: *mut c_void, length: usize) -> c_int {
    returned(unmap(address as usize, length)) as c_int
}

/// `mprotect(2)`.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn mprotect(address: *mut c_void, length: usize, protection: c_int) -> c_int {
    returned(protect(address as usize, length, protection)) as c_int
}

/// `mremap(2)`. Its fifth argument, if it has one, is a pointer; without `MREMAP_FIXED` a caller need not have given it, and the
/// kernel looks at it all the same where `MREMAP_DONTUNMAP` is asked for.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn mremap(old: *mut c_void, old_length: usize, length: usize, flags: c_int, new: usize) -> *mut c_void {
    let new = if flags & libc::MREMAP_FIXED == 0 { 0 } else { new };
    returned(remap(old as usize, old_length, length, flags, new)) as *mut c_void
}

/// Contexts whose rings begin within these bytes are none any more.
fn lose(address: usize, length: usize) {
    while let Some(used) = registry::within(address, length) {
        destroy::lost(used);
    }
}

/// `munmap(2)`
///
/// # Errors
/// The kernel's.
pub fn unmap(address: usize, length: usize) -> Result<usize, Errno> {
    lose(address, length);
    unmap_guard::await_unused(address, length);
    // SAFETY: what the program asked for.
    let answer = unsafe { syscall!(libc::SYS_munmap, address, length) };
    user_access::forget(address, length);
    answer
}

/// `mprotect(2)`
///
/// # Errors
/// The kernel's.
pub fn protect(address: usize, length: usize, protection: c_int) -> Result<usize, Errno> {
    // SAFETY: what the program asked for.
    let answer = unsafe { syscall!(libc::SYS_mprotect, address, length, protection) };
    user_access::forget(address, length);
    answer
}

/// `mremap(2)`
///
/// # Errors
/// The kernel's.
pub fn remap(old: usize, old_length: usize, length: usize, flags: c_int, new: usize) -> Result<usize, Errno> {
    if flags & libc::MREMAP_FIXED != 0 {
        lose(new, length);
        unmap_guard::await_unused(new, length);
    }
    if flags & libc::MREMAP_MAYMOVE != 0 || length < old_length {
        unmap_guard::await_unused(old, old_length);
    }
    // SAFETY: what the program asked for.
    let answer = unsafe { syscall!(libc::SYS_mremap, old, old_length, length, flags, new) };
    if let Ok(now) = answer {
        if now != old && old_length > 0 {
            registry::moved(old, now);
        }
        user_access::forget(old, old_length);
        user_access::forget(now, length);
    }
    answer
}
