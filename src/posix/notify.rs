//! Notifications: telling the program that a request has ended, as its `aio_sigevent` asks.
//!
//! A notification that cannot be sent never changes the result of the I/O. A signal that has no room now (more are queued
//! than `RLIMIT_SIGPENDING` allows) is sent when there is room.

use core::ptr::NonNull;

use super::request::{Request, RequestPtr};
use super::sigevent::SigEvent;
use super::{request_pool, sigev_signal, sigev_thread};
use crate::engine::{self, AroundOperation, Operation, WakeBatch};
use crate::host::kernel::Errno;

/// Makes ready what a notification needs, before the request begins: once it has begun, it must be possible to tell of its
/// end. None for a notification that is none.
///
/// # Errors
/// `EAGAIN`: memory is out, or no thread can be started for a callback.
pub fn prepare(sigevent: SigEvent) -> Result<Option<RequestPtr>, Errno> {
    if sigevent.is_silent() {
        return Ok(None);
    }
    if sigevent.how == libc::SIGEV_THREAD {
        sigev_thread::prepare()?;
    }
    request_pool::take(Request::new(sigevent, finish)).map(Some)
}

/// Sends the notification of a request that has ended, if it wants one, and recycles the request.
///
/// Blocks no thread: for the engine's thread.
///
/// # Safety
/// The caller owns the request, and gives it up (request-is-owned).
pub unsafe fn send(request: RequestPtr) {
    // SAFETY: request-is-owned.
    let sigevent = unsafe { request.as_ref().sigevent };
    let has_no_room = match sigevent.how {
        _ if sigevent.is_silent() => false,
        libc::SIGEV_THREAD => return sigev_thread::call(request),
        _ => sigev_signal::send(&sigevent) == Err(Errno(libc::EAGAIN)),
    };
    if has_no_room {
        return sigev_thread::send_signal_later(request);
    }
    // SAFETY: request-is-owned.
    unsafe { request_pool::put(request) };
}

/// Has an engine's thread send the notification: a signal handler must not seem to run inside the call that asked for it,
/// and a program's thread takes no lock of the callback pool, which a jump could leave locked.
///
/// # Safety
/// As for [`send`].
pub unsafe fn send_by_engine(request: RequestPtr) {
    // SAFETY: request-is-owned: the engine's thread has it from here on, or `send`.
    unsafe {
        match engine::started().and_then(|engines| engines.uring_or_workers().ok()) {
            Some(engine) => engine.submit(Request::operation(request)),
            None => send(request),
        }
    }
}

/// The engine's thread has reached a notification.
///
/// # Safety
/// As for a [`Finish`](engine::Finish).
pub unsafe fn finish(operation: NonNull<Operation>, _: i64, _: &mut WakeBatch) {
    // SAFETY: the operation is that of a request, which is the engine's thread's now.
    unsafe { send(Request::of(operation)) };
}
