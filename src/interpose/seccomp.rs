//! `prctl(PR_SET_SECCOMP)` and `seccomp(2)`: a filter may forbid io_uring, so the engine on it closes before the filter is
//! set. What is with io_uring ends first; worker threads serve afterwards.

use core::ffi::{c_int, c_uint};

use crate::c_boundary::call_original;
use crate::engine;
use crate::host::dlsym_next::Next;

static PRCTL: Next = Next::new(c"prctl");

pub(super) const ORIGINALS: &[&Next] = &[&PRCTL];

/// `prctl(2)`.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn prctl(option: c_int, a: usize, b: usize, c: usize, d: usize) -> c_int {
    before_prctl(option);
    call_original!(PRCTL, fn(option: c_int, a: usize, b: usize, c: usize, d: usize) -> c_int, else libc::SYS_prctl)
}

/// To be called before `prctl(2)`.
pub(super) fn before_prctl(option: c_int) {
    if option == libc::PR_SET_SECCOMP {
        engine::close_uring();
    }
}

/// To be called before `seccomp(2)`: the first two operations set a mode or a filter, the others ask.
pub(super) fn before_seccomp(operation: c_uint) {
    if operation <= libc::SECCOMP_SET_MODE_FILTER {
        engine::close_uring();
    }
}
