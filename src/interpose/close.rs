//! `close` and the other functions after which a descriptor number is free or names another file.
//!
//! What was submitted on the number before is settled first: the kernel has its file, and the request goes on.

use core::ffi::{c_int, c_long, c_uint, c_void};

use super::unshare;
use crate::c_boundary::{call_original, value_or_errno};
use crate::host::descriptors;
use crate::host::dlsym_next::Next;
use crate::host::kernel::syscall;

static CLOSE: Next = Next::new(c"close");
static CLOSE_RANGE: Next = Next::new(c"close_range");
static CLOSEFROM: Next = Next::new(c"closefrom");
static DUP2: Next = Next::new(c"dup2");
static DUP3: Next = Next::new(c"dup3");
static FCLOSE: Next = Next::new(c"fclose");

pub(super) const ORIGINALS: &[&Next] = &[&CLOSE, &CLOSE_RANGE, &CLOSEFROM, &DUP2, &DUP3, &FCLOSE];

/// Does `call`, which closes `fd` or gives the number to another file.
fn while_closing(fd: c_int, call: impl FnOnce() -> c_int) -> c_int {
    descriptors::before_close(fd);
    let result = call();
    descriptors::after_close(fd);
    result
}

/// `close(2)`.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn close(fd: c_int) -> c_int {
    while_closing(fd, || call_original!(CLOSE, fn(fd: c_int) -> c_int, else libc::SYS_close))
}

/// `close_range(2)`.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int {
    before_close_range(first, last, flags);
    let result =
        call_original!(CLOSE_RANGE, fn(first: c_uint, last: c_uint, flags: c_int) -> c_int, else libc::SYS_close_range);
    after_close_range(flags, result == 0);
    result
}

/// To be called before `close_range(2)`. With `CLOSE_RANGE_CLOEXEC` it closes nothing.
pub(super) fn before_close_range(first: c_uint, last: c_uint, flags: c_int) {
    if flags as c_uint & libc::CLOSE_RANGE_CLOEXEC == 0 {
        descriptors::before_closing_many(first, last);
    }
}

/// To be called after `close_range(2)`.
pub(super) fn after_close_range(flags: c_int, succeeded: bool) {
    if flags as c_uint & libc::CLOSE_RANGE_CLOEXEC == 0 {
        descriptors::after_closing_many();
    }
    unshare::after_close_range(flags, succeeded);
}

/// `closefrom(3)`, which has a way of its own where the kernel, or a filter, refuses `close_range`.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn closefrom(lowest: c_int) {
    let first = lowest.max(0) as c_uint;
    let Some(original) = CLOSEFROM.get() else {
        close_range(first, c_uint::MAX, 0);
        return;
    };
    descriptors::before_closing_many(first, c_uint::MAX);
    // SAFETY: the C library's function of this name has this signature, and the argument is the program's.
    unsafe { core::mem::transmute::<*mut c_void, unsafe extern "C" fn(c_int)>(original)(lowest) };
    descriptors::after_closing_many();
}

/// `dup2(2)`.
#[cfg_attr(interposes, unsafe(no_mangle))]
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
#[cfg_attr(interposes, unsafe(no_mangle))]
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
#[cfg_attr(interposes, unsafe(no_mangle))]
pub unsafe extern "C" fn fclose(stream: *mut libc::FILE) -> c_int {
    // SAFETY: the caller's promise. `errno` is this thread's own, and set where the stream has no descriptor.
    let fd = unsafe {
        let errno = *libc::__errno_location();
        let fd = libc::fileno(stream);
        *libc::__errno_location() = errno;
        fd
    };
    while_closing(fd, || match FCLOSE.get() {
        Some(_) => call_original!(FCLOSE, fn(stream: *mut libc::FILE) -> c_int),
        // SAFETY: the caller's promise.
        None => unsafe { _IO_fclose(stream) },
    })
}
