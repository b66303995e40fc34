//! `setrlimit`, `prlimit` and `ulimit`: the limit of a file's size may be another from here on
//! ([`crate::host::file_size_limit`]).

use core::ffi::{c_int, c_long, c_uint};

use crate::c_boundary::{call_original, value_or_errno};
use crate::host::dlsym_next::Next;
use crate::host::file_size_limit;
use crate::host::kernel::{self, Errno, syscall};

static SETRLIMIT: Next = Next::new(c"setrlimit");
static SETRLIMIT64: Next = Next::new(c"setrlimit64");
static PRLIMIT: Next = Next::new(c"prlimit");
static PRLIMIT64: Next = Next::new(c"prlimit64");
static ULIMIT: Next = Next::new(c"ulimit");

pub(super) const ORIGINALS: &[&Next] = &[&SETRLIMIT, &SETRLIMIT64, &PRLIMIT, &PRLIMIT64, &ULIMIT];

/// `setrlimit(2)`.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn setrlimit(resource: c_uint, new: *const libc::rlimit) -> c_int {
    set(&SETRLIMIT, resource, new)
}

/// The same, by the name that programs with 64-bit positions have.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn setrlimit64(resource: c_uint, new: *const libc::rlimit) -> c_int {
    set(&SETRLIMIT64, resource, new)
}

fn set(next: &Next, resource: c_uint, new: *const libc::rlimit) -> c_int {
    while_setting(resource, || match next.get() {
        Some(_) => call_original!(next, fn(resource: c_uint, new: *const libc::rlimit) -> c_int),
        // SAFETY: what the program asked for, by the call that glibc makes of it.
        None => value_or_errno(unsafe { syscall!(libc::SYS_prlimit64, 0, resource, new, 0) }.map(|_| 0)),
    })
}

/// `prlimit(2)`, of which `process` may be a thread of this process.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn prlimit(process: c_int, resource: c_uint, new: *const libc::rlimit, old: *mut libc::rlimit) -> c_int {
    set_and_get(&PRLIMIT, process, resource, new, old)
}

/// The same, by the name that programs with 64-bit positions have.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn prlimit64(
    process: c_int,
    resource: c_uint,
    new: *const libc::rlimit,
    old: *mut libc::rlimit,
) -> c_int {
    set_and_get(&PRLIMIT64, process, resource, new, old)
}

fn set_and_get(
    next: &Next,
    process: c_int,
    resource: c_uint,
    new: *const libc::rlimit,
    old: *mut libc::rlimit,
) -> c_int {
    while_setting(resource, || {
        call_original!(
            next,
            fn(process: c_int, resource: c_uint, new: *const libc::rlimit, old: *mut libc::rlimit) -> c_int,
            else libc::SYS_prlimit64
        )
    })
}

/// `ulimit(3)`, whose only limit is that of a file's size.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn ulimit(command: c_int, limit: c_long) -> c_long {
    while_setting(libc::RLIMIT_FSIZE, || match ULIMIT.get() {
        Some(_) => call_original!(ULIMIT, fn(command: c_int, limit: c_long) -> c_long),
        None => value_or_errno(ulimit_here(command, limit)),
    })
}

/// Makes a call that may set a limit of `resource`.
fn while_setting<T>(resource: c_uint, call: impl FnOnce() -> T) -> T {
    before_set(resource);
    let result = call();
    after_set(resource);
    result
}

/// The same in a program that is linked statically, which has no other: as glibc's `sysdeps/unix/sysv/linux/ulimit.c`.
#[cold]
fn ulimit_here(command: c_int, limit: c_long) -> Result<c_long, Errno> {
    const UNIT: libc::rlim_t = 512;
    let in_units = |limit: libc::rlimit| match limit.rlim_cur {
        libc::RLIM_INFINITY => c_long::MAX,
        bytes => (bytes / UNIT) as c_long,
    };
    const GET_FILE_SIZE: c_int = 1;
    const SET_FILE_SIZE: c_int = 2;
    const GET_OPEN_FILES: c_int = 4;
    match command {
        GET_FILE_SIZE => kernel::limit(libc::RLIMIT_FSIZE, None).map(in_units),
        SET_FILE_SIZE => {
            let bytes = (limit as libc::rlim_t).checked_mul(UNIT).unwrap_or(libc::RLIM_INFINITY);
            let new = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
            kernel::limit(libc::RLIMIT_FSIZE, Some(&new)).map(|_| limit)
        }
        GET_OPEN_FILES => kernel::limit(libc::RLIMIT_NOFILE, None).map(|limit| limit.rlim_cur as c_long),
        _ => Err(Errno(libc::EINVAL)),
    }
}

/// To be called before a limit of `resource` may be set.
pub(super) fn before_set(resource: c_uint) {
    if resource == libc::RLIMIT_FSIZE {
        file_size_limit::before_set();
    }
}

/// To be called after a limit of `resource` may have been set.
pub(super) fn after_set(resource: c_uint) {
    if resource == libc::RLIMIT_FSIZE {
        file_size_limit::after_set();
    }
}
