//! `ioctl` and `fanotify_init`, as far as they can make a thread sleep that touches the program's files: a frozen file
//! system, and permission events. Noted in [`crate::submission::hazards`].

use core::ffi::{c_int, c_uint, c_ulong};

use crate::c_boundary::call_original;
use crate::host::dlsym_next::Next;
use crate::submission::hazards;

static IOCTL: Next = Next::new(c"ioctl");
static FANOTIFY_INIT: Next = Next::new(c"fanotify_init");

pub(super) const ORIGINALS: &[&Next] = &[&IOCTL, &FANOTIFY_INIT];

/// `ioctl(2)`. Its third argument is an integer or a pointer.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn ioctl(fd: c_int, request: c_ulong, argument: usize) -> c_int {
    before_ioctl(request);
    let result = call_original!(IOCTL, fn(fd: c_int, request: c_ulong, argument: usize) -> c_int, else libc::SYS_ioctl);
    after_ioctl(request, result == 0);
    result
}

/// `fanotify_init(2)`.
#[cfg_attr(interposes, unsafe(no_mangle))]
pub extern "C" fn fanotify_init(flags: c_uint, event_flags: c_uint) -> c_int {
    before_fanotify_init(flags);
    call_original!(FANOTIFY_INIT, fn(flags: c_uint, event_flags: c_uint) -> c_int, else libc::SYS_fanotify_init)
}

/// To be called before `ioctl(2)`: a write to a frozen file system sleeps until the thaw, which the calling thread itself
/// may be the one to make.
pub(super) fn before_ioctl(request: c_ulong) {
    if request == hazards::FIFREEZE {
        hazards::note_freeze();
    }
}

/// To be called after `ioctl(2)`.
pub(super) fn after_ioctl(request: c_ulong, succeeded: bool) {
    let is_thawed = request == hazards::FITHAW && succeeded;
    let is_not_frozen = request == hazards::FIFREEZE && !succeeded;
    if is_thawed || is_not_frozen {
        hazards::note_thaw();
    }
}

/// To be called before `fanotify_init(2)`: with permission events, the program decides about the accesses of its own
/// process, the library's threads among them.
pub(super) fn before_fanotify_init(flags: c_uint) {
    if flags & (libc::FAN_CLASS_CONTENT | libc::FAN_CLASS_PRE_CONTENT) != 0 {
        hazards::note_permission_events();
    }
}
