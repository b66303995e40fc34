//! `prctl(PR_SET_SECCOMP)` and `seccomp(2)`: a filter may forbid io_uring, so the engine on it closes before the filter is
//! set. What is with io_uring ends first; worker threads serve afterwards. A filter that lets through only what the program
//! itself calls leaves no room for either: the kernel makes the contexts of libaio from there on.

use core::ffi::{c_int, c_uint};

use crate::c_boundary::call_original;
use crate::engine;
use crate::host::dlsym_next::Next;
use crate::host::{seccomp, user_access};

static PRCTL: Next = Next::new(c"prctl");

pub(super) const ORIGINALS: &[&Next] = &[&PRCTL];

/// `prctl(2)`.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn prctl(option: c_int, a: usize, b: usize, c: usize, d: usize) -> c_int {
    before_prctl(option, a, b);
    call_original!(PRCTL, fn(option: c_int, a: usize, b: usize, c: usize, d: usize) -> c_int, else libc::SYS_prctl)
}

/// To be called before `prctl(2)`.
pub(super) fn before_prctl(option: c_int, mode: usize, filter: usize) {
    if option == libc::PR_SET_SECCOMP {
        if mode == libc::SECCOMP_MODE_FILTER as usize {
            note(filter);
        }
        engine::close_uring();
    }
}

/// To be called before `seccomp(2)`: the first two operations set a mode or a filter, the others ask.
pub(super) fn before_seccomp(operation: c_uint, filter: usize) {
    if operation == libc::SECCOMP_SET_MODE_FILTER {
        note(filter);
    }
    if operation <= libc::SECCOMP_SET_MODE_FILTER {
        engine::close_uring();
    }
}

/// Takes note of the filter of the `struct sock_fprog` at this address.
fn note(program: usize) {
    if user_access::readable(program, size_of::<libc::sock_fprog>()).is_err() {
        return;
    }
    // SAFETY: seen to be readable.
    let program = unsafe { (program as *const libc::sock_fprog).read_unaligned() };
    let (first, length) = (program.filter, usize::from(program.len));
    let is_readable = user_access::readable(first.addr(), length * size_of::<libc::sock_filter>()).is_ok();
    if is_readable && !first.is_null() && first.is_aligned() {
        // SAFETY: seen to be readable; the program must not change it while the kernel reads it, and does not here.
        seccomp::note_filter(unsafe { core::slice::from_raw_parts(first, length) });
    }
}
