//! `io_cancel`, and the cancelling that is part of `io_destroy`.

use core::ptr::{self, NonNull};

use super::context::{Context, Used};
use super::iocb::Iocb;
use super::{contexts, submit};
use crate::engine::{Kind, Operation, Outcome};
use crate::host::futex;
use crate::host::kernel::Errno;

/// `io_cancel(2)` of the iocb at `iocb`. It never succeeds at once: what could be stopped answers `EINPROGRESS`, and its
/// event comes through the ring.
///
/// # Errors
/// `EINPROGRESS`; `EINVAL`: it is not in flight in this context, or cannot be stopped; `EFAULT`.
pub fn cancel(used: &Used, iocb: usize) -> Result<usize, Errno> {
    if Iocb::key_at(iocb)? != 0 {
        return Err(Errno(libc::EINVAL));
    }
    let wanted = Wanted { context: ptr::from_ref(used.context()), object: iocb as u64 };
    let engine = contexts::engine().ok_or(Errno(libc::EINVAL))?;
    let wanted = ptr::from_ref(&wanted) as usize;
    loop {
        let Outcome { canceled, refused } = engine.cancel(is_wanted, wanted);
        if canceled > 0 {
            return Err(Errno(libc::EINPROGRESS));
        }
        // A poll can always be stopped until it has ended; what refuses is just beginning or ending it.
        if refused == 0 || !engine.has(is_wanted_poll, wanted) {
            return Err(Errno(libc::EINVAL));
        }
        futex::linger();
    }
}

struct Wanted {
    context: *const Context,
    object: u64,
}

unsafe fn is_wanted(operation: NonNull<Operation>, argument: usize) -> bool {
    // SAFETY: `cancel` waits, with the structure on its stack.
    let wanted = unsafe { &*(argument as *const Wanted) };
    submit::request_of(operation).is_some_and(|request| {
        // SAFETY: the engine has it, so it is whole.
        let request = unsafe { request.as_ref() };
        request.context == wanted.context && request.object == wanted.object
    })
}

unsafe fn is_wanted_poll(operation: NonNull<Operation>, argument: usize) -> bool {
    // SAFETY: as for `is_wanted`; the operation is alive.
    unsafe { is_wanted(operation, argument) && operation.as_ref().kind == Kind::Poll }
}

/// Cancels what may wait for ever in a context that is being destroyed: polls, as the kernel does, and I/O on streams,
/// for which the kernel would have waited in `io_submit`.
pub fn endless(used: &Used) {
    if !used.is_idle()
        && let Some(engine) = contexts::engine()
    {
        engine.cancel(is_endless, ptr::from_ref(used.context()) as usize);
    }
}

unsafe fn is_endless(operation: NonNull<Operation>, argument: usize) -> bool {
    submit::request_of(operation).is_some_and(|request| {
        // SAFETY: as above.
        let request = unsafe { request.as_ref() };
        request.context as usize == argument && request.endless
    })
}
