//! The functions of the C library that change what a descriptor number means, what a thread may do, or what could make a
//! thread sleep that touches the program's files. Ours take note, or wait until the kernel has the files of what was
//! submitted before (a request keeps its file, whatever becomes of the number), then call the original.
//!
//! All are as thread-safe and async-signal-safe as the originals, set `errno` as they do, and are cancellation points where
//! they are.

use core::ffi::{c_int, c_uint, c_ulong, c_void};

use crate::engine;
use crate::host::descriptors;
use crate::host::dlsym_next::Next;
use crate::submission::{hazards, thread_identity};

/// The original `$name`, called with these arguments; -1 with ENOSYS where the C library has none.
macro_rules! original {
    ($next:ident, fn($($type:ty),*) -> $result:ty, $($argument:expr),*) => {
        match $next.get() {
            Some(found) => {
                // SAFETY: the C library's function of this name has this signature, and the arguments are the program's.
                unsafe { core::mem::transmute::<*mut c_void, unsafe extern "C" fn($($type),*) -> $result>(found)($($argument),*) }
            }
            None => {
                // SAFETY: errno is this thread's.
                unsafe { *libc::__errno_location() = libc::ENOSYS };
                -1
            }
        }
    };
}

static CLOSE: Next = Next::new(c"close");
static CLOSE_RANGE: Next = Next::new(c"close_range");
static DUP2: Next = Next::new(c"dup2");
static DUP3: Next = Next::new(c"dup3");
static FCNTL: Next = Next::new(c"fcntl");
static FCNTL64: Next = Next::new(c"fcntl64");
static FCLOSE: Next = Next::new(c"fclose");
static PRCTL: Next = Next::new(c"prctl");
static UNSHARE: Next = Next::new(c"unshare");
static IOCTL: Next = Next::new(c"ioctl");
static FANOTIFY_INIT: Next = Next::new(c"fanotify_init");

/// Looks up the originals when the library is loaded: a signal handler or a forked child that closes something should not
/// be the first to call the dynamic linker.
pub fn look_up() {
    for original in
        [&CLOSE, &CLOSE_RANGE, &DUP2, &DUP3, &FCNTL, &FCNTL64, &FCLOSE, &PRCTL, &UNSHARE, &IOCTL, &FANOTIFY_INIT]
    {
        let _ = original.get();
    }
}

/// `close(2)`.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn close(fd: c_int) -> c_int {
    descriptors::before_close(fd);
    let answer = original!(CLOSE, fn(c_int) -> c_int, fd);
    descriptors::after_change(fd);
    answer
}

/// `close_range(2)`.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int {
    descriptors::before_closing_many();
    let answer = original!(CLOSE_RANGE, fn(c_uint, c_uint, c_int) -> c_int, first, last, flags);
    after_close_range(flags, answer == 0);
    answer
}

/// `CLOSE_RANGE_UNSHARE` of linux/close_range.h.
const CLOSE_RANGE_UNSHARE: c_int = 1 << 1;

/// With `CLOSE_RANGE_UNSHARE` the calling thread has a descriptor table of its own from here on.
pub fn after_close_range(flags: c_int, succeeded: bool) {
    if succeeded && flags & CLOSE_RANGE_UNSHARE != 0 {
        thread_identity::note_separate();
    }
}

/// After `unshare(2)` with these `CLONE_*` flags. (Other namespaces change no open file; a user namespace is the whole
/// process's.)
pub fn after_unshare(flags: c_int, succeeded: bool) {
    if succeeded && flags & libc::CLONE_FILES != 0 {
        thread_identity::note_separate();
    }
}

/// `unshare(2)`. With `CLONE_FILES` the calling thread has a descriptor table of its own afterwards.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn unshare(flags: c_int) -> c_int {
    let answer = original!(UNSHARE, fn(c_int) -> c_int, flags);
    after_unshare(flags, answer == 0);
    answer
}

/// `ioctl(2)`: freezing and thawing a file system is taken note of. Its third argument is an integer or a pointer.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn ioctl(fd: c_int, request: c_ulong, argument: usize) -> c_int {
    before_ioctl(request);
    let answer = original!(IOCTL, fn(c_int, c_ulong, usize) -> c_int, fd, request, argument);
    after_ioctl(request, answer == 0);
    answer
}

/// A write that is begun while a file system is frozen sleeps until the thaw, which may be the calling thread's own to make.
pub fn before_ioctl(request: c_ulong) {
    if request == hazards::FIFREEZE {
        hazards::note_freeze();
    }
}

/// See [`before_ioctl`].
pub fn after_ioctl(request: c_ulong, succeeded: bool) {
    let is_thawed = request == hazards::FITHAW && succeeded;
    let is_not_frozen = request == hazards::FIFREEZE && !succeeded;
    if is_thawed || is_not_frozen {
        hazards::note_thaw();
    }
}

/// `fanotify_init(2)`: with permission events the program decides about accesses of its own threads, ours among them.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn fanotify_init(flags: c_uint, event_flags: c_uint) -> c_int {
    before_fanotify_init(flags);
    original!(FANOTIFY_INIT, fn(c_uint, c_uint) -> c_int, flags, event_flags)
}

/// See [`fanotify_init`].
pub fn before_fanotify_init(flags: c_uint) {
    if flags as c_int & hazards::FANOTIFY_DECIDES != 0 {
        hazards::note_permission_events();
    }
}

/// `closefrom(3)`: as glibc's, `close_range` to the end of the table.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn closefrom(lowest: c_int) {
    close_range(lowest.max(0) as c_uint, c_uint::MAX, 0);
}

/// `dup2(2)`.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn dup2(old: c_int, new: c_int) -> c_int {
    descriptors::before_close(new);
    let answer = original!(DUP2, fn(c_int, c_int) -> c_int, old, new);
    descriptors::after_change(new);
    answer
}

/// `dup3(2)`.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn dup3(old: c_int, new: c_int, flags: c_int) -> c_int {
    descriptors::before_close(new);
    let answer = original!(DUP3, fn(c_int, c_int, c_int) -> c_int, old, new, flags);
    descriptors::after_change(new);
    answer
}

/// `fcntl(2)`. Its third argument is an integer or a pointer; both are passed in the same register.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn fcntl(fd: c_int, command: c_int, argument: usize) -> c_int {
    if command == libc::F_SETFL {
        descriptors::before_flags_change(fd, argument as c_int);
    }
    let answer = original!(FCNTL, fn(c_int, c_int, usize) -> c_int, fd, command, argument);
    if command == libc::F_SETFL {
        descriptors::after_change(fd);
    }
    answer
}

/// `fcntl64`, the name that newer headers give `fcntl`.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn fcntl64(fd: c_int, command: c_int, argument: usize) -> c_int {
    if command == libc::F_SETFL {
        descriptors::before_flags_change(fd, argument as c_int);
    }
    let answer = original!(FCNTL64, fn(c_int, c_int, usize) -> c_int, fd, command, argument);
    if command == libc::F_SETFL {
        descriptors::after_change(fd);
    }
    answer
}

/// `prctl(2)`. A filter that it sets may forbid io_uring (seccomp(2)): what is there ends first, and workers serve afterwards.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn prctl(option: c_int, a: usize, b: usize, c: usize, d: usize) -> c_int {
    if option == libc::PR_SET_SECCOMP {
        engine::close_uring();
    }
    original!(PRCTL, fn(c_int, usize, usize, usize, usize) -> c_int, option, a, b, c, d)
}

/// `fclose(3)`: closes by itself.
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub unsafe extern "C" fn fclose(stream: *mut libc::FILE) -> c_int {
    // SAFETY: the caller's promise.
    descriptors::before_close(unsafe { libc::fileno(stream) });
    original!(FCLOSE, fn(*mut libc::FILE) -> c_int, stream)
}
