//! The C library's own POSIX AIO, which serves where neither io_uring nor worker threads can be used.
//!
//! Its aiocb is the same, so `aio_error` and `aio_return` answer for both; the calls that wait or cancel are passed on.

use core::ffi::{CStr, c_int, c_void};

use crate::c_boundary::call_original;
use crate::engine::{self, Engines};
use crate::host::dlsym_next::Next;
use crate::host::kernel::Errno;
use crate::host::{settings, thread_identity};
use crate::stats::{self, Face};

/// The first version of glibc's, in which the requests of a list send no notifications of their own.
const OLDEST_VERSION: &CStr = if cfg!(target_arch = "x86_64") { c"GLIBC_2.2.5" } else { c"GLIBC_2.17" };

static READ: Next = Next::new(c"aio_read");
static WRITE: Next = Next::new(c"aio_write");
static FSYNC: Next = Next::new(c"aio_fsync");
static SUSPEND: Next = Next::new(c"aio_suspend");
static CANCEL: Next = Next::new(c"aio_cancel");
static LIST: Next = Next::new(c"lio_listio");
static OLDEST_LIST: Next = Next::versioned(c"lio_listio", OLDEST_VERSION);
static INIT: Next = Next::new(c"aio_init");

/// The engines; none where the C library's own AIO has to serve, or shall.
///
/// # Errors
/// `EAGAIN`: there is no memory to decide that, or no thread now. The C library's own AIO serves for good or not at all:
/// `aio_suspend` waits for requests of one of the two.
#[inline]
pub fn engines() -> Result<Option<Engines>, Errno> {
    if !settings::get().served.posix() {
        return Ok(None);
    }
    if thread_identity::is_separate() {
        return Ok(Some(engine::for_separate_thread()));
    }
    match engine::get()? {
        None if !engine::stands_aside() => Err(Errno(libc::EAGAIN)),
        engines => Ok(engines),
    }
}

/// Whether the C library's own AIO serves, for good. Async-signal-safe: the settings are read when the library is
/// loaded.
pub fn serves() -> bool {
    !settings::get().served.posix() || engine::stands_aside()
}

fn note_call() {
    // A signal handler may call `aio_suspend` next, and must not be the first to look it up.
    let _ = SUSPEND.get();
    stats::fell_back(Face::Posix);
}

/// `aio_read`.
pub fn read(aiocb: *mut libc::aiocb) -> c_int {
    note_call();
    call_original!(READ, fn(aiocb: *mut libc::aiocb) -> c_int)
}

/// `aio_write`.
pub fn write(aiocb: *mut libc::aiocb) -> c_int {
    note_call();
    call_original!(WRITE, fn(aiocb: *mut libc::aiocb) -> c_int)
}

/// `aio_fsync`.
pub fn fsync(operation: c_int, aiocb: *mut libc::aiocb) -> c_int {
    note_call();
    call_original!(FSYNC, fn(operation: c_int, aiocb: *mut libc::aiocb) -> c_int)
}

/// `aio_suspend`.
pub fn suspend(list: *const *const libc::aiocb, count: c_int, timeout: *const libc::timespec) -> c_int {
    note_call();
    call_original!(SUSPEND, fn(list: *const *const libc::aiocb, count: c_int, timeout: *const libc::timespec) -> c_int)
}

/// `aio_cancel`.
pub fn cancel(fd: c_int, aiocb: *mut libc::aiocb) -> c_int {
    note_call();
    call_original!(CANCEL, fn(fd: c_int, aiocb: *mut libc::aiocb) -> c_int)
}

/// `lio_listio`, of the version that was called.
pub fn list(
    mode: c_int,
    list: *const *mut libc::aiocb,
    count: c_int,
    event: *mut libc::sigevent,
    is_oldest: bool,
) -> c_int {
    note_call();
    let original = if is_oldest { &OLDEST_LIST } else { &LIST };
    call_original!(
        original,
        fn(mode: c_int, list: *const *mut libc::aiocb, count: c_int, event: *mut libc::sigevent) -> c_int
    )
}

/// `aio_init`. It tells the C library of the program's wishes, should it have to serve; it starts nothing.
pub fn init(wishes: *const c_void) {
    if let Some(found) = INIT.get() {
        // SAFETY: the C library's function of this name takes this argument; it is the program's.
        unsafe { core::mem::transmute::<*mut c_void, unsafe extern "C" fn(*const c_void)>(found)(wishes) }
    }
}
