//! `close` and the other functions after which a descriptor number is free or names another file.
//!
//! What was submitted on the number before is settled first: the kernel has its file, and the request goes on.

use core::ffi::{c_int, c_long, c_uint};

use super::unshare;
use crate::c_boundary::{call_original, value_or_errno};
use crate::host::descriptors;
use crate::host::dlsym_next::Next;
use crate::host::kernel::syscall;

static CLOSE: Next = Next::new(c"close");
static CLOSE_RANGE: Next = Next::new(c"close_range");
static DUP2: Next = Next::new(c"dup2");
static DUP3: Next = Next::new(c"dup3");
static FCLOSE: Next = Next::new(c"fclose");

pub(super) const ORIGINALS: &[&Next] = &[&CLOSE, &CLOSE_RANGE, &DUP2, &DUP3, &FCLOSE];

/// Does `call`, which closes `fd` or gives the number to another file.
fn while_closing(fd: c_int, call: impl FnOnce() -> c_int) -> c_int {
    descriptors::before_close(fd);
    let result = call();
    descriptors::after_close(fd);
    result
}

/// `close(2)`.
#[cfg_attr(not(any(feature = "libaio-abi", miri)), unsafe(no_mangle))]
pub extern "C" fn close(fd: c_int) -> c_int {
    while_closing(fd, || call_original!(CLOSE, fn(fd: c_int) -> c_int, else libc::SYS_close))
}

/// `close_range(2)`.
#[cfg_attr(not(any(feature = "libaio-abi", miri)), unsafe(no_mangle))]
pub extern "C" fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int {
    descriptors::before_closing_many(first, last);
    let result =
        call_original!(CLOSE_RANGE, fn(first: c_uint, last: c_uint, flags: c_int) -> c_int, else libc::SYS_close_range);
    descriptors::after_closing_many();
    unshare::after_close_range(flags, result == 0);
    result
}

/// `closefrom(3)`: as in glibc, `close_range` to the end of the table.
#[cfg_attr(not(any(feature = "libaio-abi", miri)), unsafe(no_mangle))]
pub extern "C" fn closefrom(lowest: c_int) {
    close_range(lowest.max(0) as c_uint, c_uint::MAX, 0);
}

/// `dup2(2)`.
#[cfg_attr(not(any(feature = "libaio-abi", miri)), unsafe(no_mangle))]
pub extern "C" fn dup2(old: c_int, new: c_int) -> c_int {
    #[cfg(target_arch = "x86_64")]
    const NUMBER: c_long = libc::SYS_dup2;
    // The same with a third argument of 0, but for two equal numbers.
    #[cfg(not(target_arch = "x86_64"))]
    const NUMBER: c_long = libc::SYS_dup3;
    if NUMBER == libc::SYS_dup3 && old == new && DUP2.get().is_none() {
        // SAFETY: takes a descriptor.
        return value_or_errno(unsafe { syscall!(libc::SYS_fcntl, old, libc::F_GETFD) }.map(|_| new));
    }
    while_closing(new, || call_original!(DUP2, fn(old: c_int, new: c_int) -> c_int, else NUMBER))
}

/// `dup3(2)`.
#[cfg_attr(not(any(feature = "libaio-abi", miri)), unsafe(no_mangle))]
pub extern "C" fn dup3(old: c_int, new: c_int, flags: c_int) -> c_int {
    while_closing(new, || call_original!(DUP3, fn(old: c_int, new: c_int, flags: c_int) -> c_int, else libc::SYS_dup3))
}

unsafe extern "C" {
    /// The C library's other name for `fclose`, by which a program that is linked statically finds it behind ours.
    fn _IO_fclose(stream: *mut libc::FILE) -> c_int;
}

/// `fclose(3)`, which closes without calling [`close`].
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(any(feature = "libaio-abi", miri)), unsafe(no_mangle))]
pub unsafe extern "C" fn fclose(stream: *mut libc::FILE) -> c_int {
    // SAFETY: the caller's promise.
    let fd = unsafe { libc::fileno(stream) };
    while_closing(fd, || match FCLOSE.get() {
        Some(_) => call_original!(FCLOSE, fn(stream: *mut libc::FILE) -> c_int),
        // SAFETY: the caller's promise.
        None => unsafe { _IO_fclose(stream) },
    })
}
