//! `unshare(CLONE_FILES)`, `setfsuid` and their like: the calling thread has a descriptor table or rights of its own from
//! here on, and its requests are done in its own context ([`crate::host::thread_identity`]).

use core::ffi::{c_int, c_long, c_uint, c_void};

use crate::c_boundary::{answer_of, call_original};
use crate::engine;
use crate::host::dlsym_next::Next;
use crate::host::futex;
use crate::host::kernel::{Errno, syscall};
use crate::host::seccomp;
use crate::host::thread_identity::{self, Own};

static UNSHARE: Next = Next::new(c"unshare");
static SETNS: Next = Next::new(c"setns");
static SETFSUID: Next = Next::new(c"setfsuid");
static SETFSGID: Next = Next::new(c"setfsgid");
static CAPSET: Next = Next::new(c"capset");

pub(super) const ORIGINALS: &[&Next] = &[&UNSHARE, &SETNS, &SETFSUID, &SETFSGID, &CAPSET];

/// `unshare(2)`.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn unshare(flags: c_int) -> c_int {
    let call = || call_original!(UNSHARE, fn(flags: c_int) -> c_int, else libc::SYS_unshare);
    let result = without_helpers(call, |&result| unshare_may_want_none(flags, answer_of(result).err()));
    after_unshare(flags, result == 0);
    result
}

/// `setns(2)`. (What namespaces a thread is in does not change the files that it has.)
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn setns(fd: c_int, kind: c_int) -> c_int {
    let call = || call_original!(SETNS, fn(fd: c_int, kind: c_int) -> c_int, else libc::SYS_setns);
    without_helpers(call, |&result| setns_may_want_none(answer_of(result).err()))
}

/// How often a call is made again, a millisecond apart, that was refused for threads that have just ended.
const GONE_LOOKS: u32 = 20;

/// Makes a call that the kernel grants a process without other threads. Where it was refused, perhaps for the engines' threads, it
/// is made again without them: the kernel's AIO has none.
pub(super) fn without_helpers<T>(call: impl Fn() -> T, may_want_none: impl Fn(&T) -> bool) -> T {
    let mut result = call();
    if may_want_none(&result) && engine::end_threads() {
        // A thread that has ended is with the kernel for a moment.
        for _ in 0..GONE_LOOKS {
            result = call();
            if !may_want_none(&result) {
                break;
            }
            futex::sleep_1ms();
        }
    }
    result
}

/// Whether `unshare(2)` may have been refused because the process has other threads (`check_unshare_flags` of kernel/fork.c).
pub(super) fn unshare_may_want_none(flags: c_int, error: Option<Errno>) -> bool {
    const ALONE: c_int = libc::CLONE_NEWUSER | libc::CLONE_THREAD | libc::CLONE_SIGHAND | libc::CLONE_VM;
    error == Some(Errno(libc::EINVAL)) && flags & ALONE != 0
}

/// The same of `setns(2)`: user and mount namespaces, and those of time (`EUSERS`).
pub(super) fn setns_may_want_none(error: Option<Errno>) -> bool {
    matches!(error, Some(Errno(libc::EINVAL | libc::EUSERS)))
}

/// `setfsuid(2)`: unlike `setuid` and its like, which the C library has every thread do, it is the calling thread's alone.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn setfsuid(user: c_uint) -> c_int {
    let before = call_original!(SETFSUID, fn(user: c_uint) -> c_int, else libc::SYS_setfsuid);
    after_change_of_identity(before as c_uint, user, libc::SYS_setfsuid);
    before
}

/// `setfsgid(2)`, the same.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn setfsgid(group: c_uint) -> c_int {
    let before = call_original!(SETFSGID, fn(group: c_uint) -> c_int, else libc::SYS_setfsgid);
    after_change_of_identity(before as c_uint, group, libc::SYS_setfsgid);
    before
}

/// Whether it was allowed the call does not say, which gives the identity before. -1 asks alone, by the same number.
fn after_change_of_identity(before: c_uint, wanted: c_uint, number: c_long) {
    // SAFETY: takes a number, and changes nothing.
    let now = || unsafe { syscall!(number, c_uint::MAX) };
    if before != wanted && wanted != c_uint::MAX && now() != Ok(before as usize) {
        thread_identity::note_separate(Own::Rights);
    }
}

/// `capset(2)`, the calling thread's as well.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn capset(header: *mut c_void, data: *const c_void) -> c_int {
    while_changing_capabilities(
        || call_original!(CAPSET, fn(header: *mut c_void, data: *const c_void) -> c_int, else libc::SYS_capset),
    )
}

/// Makes a call that may give the calling thread other capabilities. It may as well give it those that it has; beneath a filter,
/// which may end the process for the question, it counts as a change.
pub(super) fn while_changing_capabilities<T>(call: impl FnOnce() -> T) -> T {
    let known = || if seccomp::is_active() { None } else { capabilities().ok() };
    let before = known();
    let result = call();
    if before.is_none() || known() != before {
        thread_identity::note_separate(Own::Rights);
    }
    result
}

/// The sets of the calling thread, as `capget(2)` tells them.
fn capabilities() -> Result<[u32; 6], Errno> {
    const VERSION_3: u32 = 0x2008_0522;
    let mut header = [VERSION_3, 0];
    let mut sets = [0u32; 6];
    // SAFETY: reads and writes the header, and fills two structures of three words.
    unsafe { syscall!(libc::SYS_capget, header.as_mut_ptr(), sets.as_mut_ptr()) }.map(|_| sets)
}

/// To be called after `unshare(2)`. (Other namespaces change no open file; a user namespace is the whole process's.)
pub(super) fn after_unshare(flags: c_int, succeeded: bool) {
    if succeeded && flags & libc::CLONE_FILES != 0 {
        thread_identity::note_separate(Own::Descriptors);
    }
}

/// To be called after `close_range(2)`.
pub(super) fn after_close_range(flags: c_int, succeeded: bool) {
    if succeeded && flags as c_uint & libc::CLOSE_RANGE_UNSHARE != 0 {
        thread_identity::note_separate(Own::Descriptors);
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
    )
}
