//! Where io_uring cannot be had: the C library's own implementation, behind ours.
//!
//! Its aiocb is ours, so `aio_error` and `aio_return` need not be handed on; whoever waits or cancels must ask it.

use core::ffi::{c_int, c_void};
use core::mem::transmute;

use crate::engine::{self, Engines};
use crate::host::dlsym_next::Next;
use crate::host::kernel::Errno;
use crate::host::settings;
use crate::stats::{self, Face};

static READ: Next = Next::new(c"aio_read");
static WRITE: Next = Next::new(c"aio_write");
static FSYNC: Next = Next::new(c"aio_fsync");
static SUSPEND: Next = Next::new(c"aio_suspend");
static CANCEL: Next = Next::new(c"aio_cancel");
static LIST: Next = Next::new(c"lio_listio");
static LIST_OLD: Next = Next::versioned(c"lio_listio", super::abi::OLDEST);
static INIT: Next = Next::new(c"aio_init");

/// The engines; nothing where the system's own implementation has to serve, or shall.
///
/// # Errors
/// `EAGAIN`: there is no memory to decide that.
#[inline]
pub fn engines() -> Result<Option<Engines>, Errno> {
    if settings::get().served.posix() { engine::get() } else { Ok(None) }
}

/// Whether it is known that the system's own implementation serves. Async-signal-safe: the settings are read when the
/// library is loaded.
pub fn serves() -> bool {
    !settings::get().served.posix() || engine::stands_aside()
}

/// Calls a function found behind ours with these arguments; -1 with ENOSYS where there is none, as in a program that is
/// linked statically.
macro_rules! hand_on {
    ($next:ident, $($argument:expr => $type:ty),*) => {
        match $next.get() {
            Some(found) => {
                // `aio_suspend` may be called by a signal handler, and must not look up anything.
                let _ = SUSPEND.get();
                stats::fell_back(Face::Posix);
                // SAFETY: the C library's function of this name takes these arguments; they are the program's.
                unsafe { transmute::<*mut c_void, unsafe extern "C" fn($($type),*) -> c_int>(found)($($argument),*) }
            }
            None => {
                super::abi::set_errno(libc::ENOSYS);
                -1
            }
        }
    };
}

/// `aio_read`.
pub fn read(block: *mut libc::aiocb) -> c_int {
    hand_on!(READ, block => *mut libc::aiocb)
}

/// `aio_write`.
pub fn write(block: *mut libc::aiocb) -> c_int {
    hand_on!(WRITE, block => *mut libc::aiocb)
}

/// `aio_fsync`.
pub fn fsync(operation: c_int, block: *mut libc::aiocb) -> c_int {
    hand_on!(FSYNC, operation => c_int, block => *mut libc::aiocb)
}

/// `aio_suspend`.
pub fn suspend(list: *const *const libc::aiocb, count: c_int, timeout: *const libc::timespec) -> c_int {
    hand_on!(SUSPEND, list => *const *const libc::aiocb, count => c_int, timeout => *const libc::timespec)
}

/// `aio_cancel`.
pub fn cancel(fd: c_int, block: *mut libc::aiocb) -> c_int {
    hand_on!(CANCEL, fd => c_int, block => *mut libc::aiocb)
}

/// `lio_listio`, of the version that was called.
pub fn list(mode: c_int, list: *const *mut libc::aiocb, count: c_int, event: *mut libc::sigevent, old: bool) -> c_int {
    if old {
        hand_on!(LIST_OLD, mode => c_int, list => *const *mut libc::aiocb, count => c_int, event => *mut libc::sigevent)
    } else {
        hand_on!(LIST, mode => c_int, list => *const *mut libc::aiocb, count => c_int, event => *mut libc::sigevent)
    }
}

/// `aio_init`. It tells the C library of the program's wishes, should it have to serve; it starts nothing.
pub fn init(wishes: *const c_void) {
    if let Some(found) = INIT.get() {
        // SAFETY: as above.
        unsafe { transmute::<*mut c_void, unsafe extern "C" fn(*const c_void)>(found)(wishes) }
    }
}
