//! `fcntl(F_SETFL)`: the flags of an open file change under the requests on it.

use core::ffi::c_int;

use crate::c_boundary::call_original;
use crate::host::descriptors;
use crate::host::dlsym_next::Next;

static FCNTL: Next = Next::new(c"fcntl");
static FCNTL64: Next = Next::new(c"fcntl64");

pub(super) const ORIGINALS: &[&Next] = &[&FCNTL, &FCNTL64];

/// `fcntl(2)`. Its third argument is an integer or a pointer; both are passed in the same register.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn fcntl(fd: c_int, command: c_int, argument: usize) -> c_int {
    before_fcntl(fd, command, argument);
    let result = call_original!(FCNTL, fn(fd: c_int, command: c_int, argument: usize) -> c_int, else libc::SYS_fcntl);
    after_fcntl(fd, command);
    result
}

/// `fcntl64`, the name that newer headers give `fcntl`.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn fcntl64(fd: c_int, command: c_int, argument: usize) -> c_int {
    before_fcntl(fd, command, argument);
    let result = call_original!(FCNTL64, fn(fd: c_int, command: c_int, argument: usize) -> c_int, else libc::SYS_fcntl);
    after_fcntl(fd, command);
    result
}

/// To be called before `fcntl(2)`: requests under way that depend on the flags end first.
pub(super) fn before_fcntl(fd: c_int, command: c_int, argument: usize) {
    if command == libc::F_SETFL {
        descriptors::before_flags_change(fd, argument as c_int);
    }
}

/// To be called after `fcntl(2)`.
pub(super) fn after_fcntl(fd: c_int, command: c_int) {
    if command == libc::F_SETFL {
        descriptors::after_change(fd);
    }
}
