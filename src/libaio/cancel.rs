//! `io_cancel`, and which requests of a context are meant by it and by `io_destroy`.

use core::ptr;

use super::context::{Context, Used};
use super::iocb::Iocb;
use super::submit;
use crate::engine::{self, Kind, Matcher, Operation};
use crate::host::futex::{self, Deadline};
use crate::host::kernel::Errno;

use core::time::Duration;

/// How long a poll that is just beginning or ending is asked again.
const POLL_WAIT: Duration = Duration::from_secs(2);

/// `io_cancel(2)` of the iocb at `iocb`. It never succeeds at once: what could be stopped answers `EINPROGRESS`, and its
/// event comes through the ring.
///
/// # Errors
/// `EINPROGRESS`; `EINVAL`: it is not in flight in this context, or cannot be stopped; `EFAULT`.
pub fn cancel(used: &Used, iocb: usize) -> Result<usize, Errno> {
    if Iocb::key_at(iocb)? != 0 {
        return Err(Errno(libc::EINVAL));
    }
    let engines = engine::started().ok_or(Errno(libc::EINVAL))?;
    let arguments = [ptr::from_ref(used.context()).addr(), iocb, 0];
    let deadline = Deadline::after(POLL_WAIT);
    loop {
        let outcome = engines.cancel(Matcher { test: is_iocb, arguments });
        if outcome.canceled > 0 {
            return Err(Errno(libc::EINPROGRESS));
        }
        // A poll can always be stopped until it has ended; what refuses is just beginning or ending it.
        let is_poll = outcome.refused > 0 && engines.count(Matcher { test: is_iocb_poll, arguments }) > 0;
        if !is_poll || deadline.is_over() {
            return Err(Errno(libc::EINVAL));
        }
        futex::sleep_50us();
    }
}

/// Every request of a context.
pub fn all_of(context: &Context) -> Matcher {
    fn is_of(operation: &Operation, arguments: &[usize; 3]) -> bool {
        submit::request_of(operation).is_some_and(|request| request.context.addr() == arguments[0])
    }
    Matcher { test: is_of, arguments: [ptr::from_ref(context).addr(), 0, 0] }
}

/// What may wait for ever in a context: polls, which the kernel cancels with it, and I/O on streams, for which the kernel
/// would have waited in `io_submit`.
pub fn endless_of(context: &Context) -> Matcher {
    fn is_endless(operation: &Operation, arguments: &[usize; 3]) -> bool {
        submit::request_of(operation).is_some_and(|request| request.context.addr() == arguments[0] && request.endless)
    }
    Matcher { test: is_endless, arguments: [ptr::from_ref(context).addr(), 0, 0] }
}

fn is_iocb(operation: &Operation, arguments: &[usize; 3]) -> bool {
    submit::request_of(operation)
        .is_some_and(|request| request.context.addr() == arguments[0] && request.object as usize == arguments[1])
}

fn is_iocb_poll(operation: &Operation, arguments: &[usize; 3]) -> bool {
    operation.kind == Kind::Poll && is_iocb(operation, arguments)
}
