//! Telling the program that a request is over, as its `aio_sigevent` asks.
//!
//! A notification that cannot be sent never changes the result of the I/O. One that has no room now (a queued signal past
//! `RLIMIT_SIGPENDING`) is sent when there is room.

use core::ffi::c_int;

use super::aiocb::SigEvent;
use super::callback_pool;
use super::request::{Handle, Request};
use crate::engine;
use crate::host::kernel::{self, Errno, syscall};
use crate::stats;

/// `si_code` of a signal sent for asynchronous I/O.
const SI_ASYNCIO: c_int = -4;

/// `siginfo_t` as far as a queued signal fills it.
#[repr(C)]
struct Information {
    signal: c_int,
    errno: c_int,
    code: c_int,
    padding: c_int,
    process: c_int,
    user: u32,
    value: usize,
    rest: [usize; 12],
}

const _: () = assert!(size_of::<Information>() == size_of::<libc::siginfo_t>());

/// Sends the notification of a request that is over, if it wants one, and recycles the request.
///
/// Blocks nobody: called by the engine's thread.
///
/// # Safety
/// The request is the caller's alone, and is so no more.
pub unsafe fn send(request: Handle) {
    // SAFETY: the caller's promise.
    let sigevent = unsafe { request.as_ref().sigevent };
    let must_wait = match sigevent.how {
        _ if sigevent.is_silent() => false,
        libc::SIGEV_THREAD => return callback_pool::call(request),
        _ => signal(&sigevent) == Err(Errno(libc::EAGAIN)),
    };
    if must_wait {
        return callback_pool::signal_later(request);
    }
    // SAFETY: the caller's promise.
    unsafe { Request::recycle(request) };
}

/// Has the notification of a request sent by a thread of the library's: a handler must not seem to run inside the call that
/// asked for it.
///
/// # Safety
/// As for [`send`].
pub unsafe fn send_from_elsewhere(request: Handle) {
    // SAFETY: the caller's promise. A program's thread takes no lock of the callbacks', which a jump could leave taken.
    unsafe {
        match engine::started().and_then(|engines| engines.uring_or_workers().ok()) {
            Some(engine) => engine.submit(Request::operation(request)),
            None => send(request),
        }
    }
}

/// Queues the signal.
///
/// # Errors
/// `EAGAIN`: as many signals are queued as the user may have (`RLIMIT_SIGPENDING`); `EINVAL`: no such signal; `ESRCH`: no
/// such thread.
pub fn signal(sigevent: &SigEvent) -> Result<(), Errno> {
    let process = kernel::process_id();
    // SAFETY: takes no arguments.
    let user = unsafe { kernel::call6(libc::SYS_getuid, 0, 0, 0, 0, 0, 0) } as u32;
    let information = Information {
        signal: sigevent.signal,
        errno: 0,
        code: SI_ASYNCIO,
        padding: 0,
        process,
        user,
        value: sigevent.value,
        rest: [0; 12],
    };
    // SAFETY: reads one siginfo.
    let sent = unsafe {
        if sigevent.how == libc::SIGEV_THREAD_ID {
            let thread = sigevent.target as c_int;
            syscall!(libc::SYS_rt_tgsigqueueinfo, process, thread, sigevent.signal, &raw const information)
        } else {
            syscall!(libc::SYS_rt_sigqueueinfo, process, sigevent.signal, &raw const information)
        }
    };
    sent.map(|_| stats::notified(stats::Notification::Signal, 1))
}
