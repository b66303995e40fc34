//! `unshare(CLONE_FILES)` and its like: the calling thread has a descriptor table or rights of its own from here on, and
//! its requests are done in its own context ([`crate::submission::thread_identity`]).

use core::ffi::{c_int, c_long, c_uint};

use crate::c_boundary::call_original;
use crate::host::dlsym_next::Next;
use crate::submission::thread_identity;

static UNSHARE: Next = Next::new(c"unshare");

pub(super) const ORIGINALS: &[&Next] = &[&UNSHARE];

/// `unshare(2)`.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn unshare(flags: c_int) -> c_int {
    let result = call_original!(UNSHARE, fn(flags: c_int) -> c_int);
    after_unshare(flags, result == 0);
    result
}

/// To be called after `unshare(2)`. (Other namespaces change no open file; a user namespace is the whole process's.)
pub(super) fn after_unshare(flags: c_int, succeeded: bool) {
    if succeeded && flags & libc::CLONE_FILES != 0 {
        thread_identity::note_separate();
    }
}

/// To be called after `close_range(2)`.
pub(super) fn after_close_range(flags: c_int, succeeded: bool) {
    if succeeded && flags as c_uint & libc::CLOSE_RANGE_UNSHARE != 0 {
        thread_identity::note_separate();
    }
}

/// Whether a system call, made by number, changes the rights of the calling thread alone. (The C library's functions change
/// those of the whole process.)
pub(super) const fn changes_own_rights(number: c_long) -> bool {
    matches!(
        number,
        libc::SYS_setuid
            | libc::SYS_setgid
            | libc::SYS_setreuid
            | libc::SYS_setregid
            | libc::SYS_setgroups
            | libc::SYS_setresuid
            | libc::SYS_setresgid
            | libc::SYS_setfsuid
            | libc::SYS_setfsgid
            | libc::SYS_capset
    )
}
