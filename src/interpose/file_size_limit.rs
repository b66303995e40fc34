//! `setrlimit`, `prlimit` and `ulimit`: the limit of a file's size may be another from here on
//! ([`crate::host::file_size_limit`]).

use core::ffi::{c_int, c_long, c_uint};

use crate::c_boundary::call_original;
use crate::host::dlsym_next::Next;
use crate::host::file_size_limit;

static SETRLIMIT: Next = Next::new(c"setrlimit");
static SETRLIMIT64: Next = Next::new(c"setrlimit64");
static PRLIMIT: Next = Next::new(c"prlimit");
static PRLIMIT64: Next = Next::new(c"prlimit64");
static ULIMIT: Next = Next::new(c"ulimit");

pub(super) const ORIGINALS: &[&Next] = &[&SETRLIMIT, &SETRLIMIT64, &PRLIMIT, &PRLIMIT64, &ULIMIT];

/// `setrlimit(2)`.
#[cfg_attr(not(any(feature = "libaio-abi", miri)), unsafe(no_mangle))]
pub extern "C" fn setrlimit(resource: c_uint, new: *const libc::rlimit) -> c_int {
    let result = call_original!(SETRLIMIT, fn(resource: c_uint, new: *const libc::rlimit) -> c_int);
    after_set(resource);
    result
}

/// The same, by the name that programs with 64-bit positions have.
#[cfg_attr(not(any(feature = "libaio-abi", miri)), unsafe(no_mangle))]
pub extern "C" fn setrlimit64(resource: c_uint, new: *const libc::rlimit) -> c_int {
    let result = call_original!(SETRLIMIT64, fn(resource: c_uint, new: *const libc::rlimit) -> c_int);
    after_set(resource);
    result
}

/// `prlimit(2)`, of which `process` may be a thread of this process.
#[cfg_attr(not(any(feature = "libaio-abi", miri)), unsafe(no_mangle))]
pub extern "C" fn prlimit(process: c_int, resource: c_uint, new: *const libc::rlimit, old: *mut libc::rlimit) -> c_int {
    let result = call_original!(
        PRLIMIT,
        fn(process: c_int, resource: c_uint, new: *const libc::rlimit, old: *mut libc::rlimit) -> c_int
    );
    after_set(resource);
    result
}

/// The same, by the name that programs with 64-bit positions have.
#[cfg_attr(not(any(feature = "libaio-abi", miri)), unsafe(no_mangle))]
pub extern "C" fn prlimit64(
    process: c_int,
    resource: c_uint,
    new: *const libc::rlimit,
    old: *mut libc::rlimit,
) -> c_int {
    let result = call_original!(
        PRLIMIT64,
        fn(process: c_int, resource: c_uint, new: *const libc::rlimit, old: *mut libc::rlimit) -> c_int
    );
    after_set(resource);
    result
}

/// `ulimit(3)`, whose only limit is that of a file's size.
#[cfg_attr(not(any(feature = "libaio-abi", miri)), unsafe(no_mangle))]
pub extern "C" fn ulimit(command: c_int, limit: c_long) -> c_long {
    let result = call_original!(ULIMIT, fn(command: c_int, limit: c_long) -> c_long);
    after_set(libc::RLIMIT_FSIZE);
    result
}

/// To be called after a limit of `resource` may have been set.
pub(super) fn after_set(resource: c_uint) {
    if resource == libc::RLIMIT_FSIZE {
        file_size_limit::note_set();
    }
}
