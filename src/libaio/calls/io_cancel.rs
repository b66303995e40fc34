//! `io_cancel`: stops the request of an iocb.

use core::time::Duration;

use crate::engine;
use crate::host::futex::{self, Deadline};
use crate::host::kernel::Errno;
use crate::libaio::context::ContextRef;
use crate::libaio::iocb::Iocb;
use crate::libaio::outstanding;

/// How long the call tries again to stop a poll that is just beginning or ending.
const POLL_WAIT: Duration = Duration::from_secs(2);

/// `io_cancel(2)` of the iocb at `iocb`. It never succeeds at once: for a request that was stopped it answers `EINPROGRESS`,
/// and the event comes through the ring.
///
/// # Errors
/// `EINPROGRESS`; `EINVAL`: it is not in flight in this context, or cannot be stopped; `EFAULT`.
pub fn cancel(context: &ContextRef, iocb: usize) -> Result<usize, Errno> {
    if Iocb::key_at(iocb)? != 0 {
        return Err(Errno(libc::EINVAL));
    }
    let engines = engine::started().ok_or(Errno(libc::EINVAL))?;
    let deadline = Deadline::after(POLL_WAIT);
    loop {
        let outcome = engines.cancel(outstanding::of_iocb(context, iocb, false));
        if outcome.canceled > 0 {
            return Err(Errno(libc::EINPROGRESS));
        }
        // A poll can always be stopped until it has ended. One that refuses is just beginning or ending.
        let is_poll = outcome.refused > 0 && engines.count(outstanding::of_iocb(context, iocb, true)) > 0;
        if !is_poll || deadline.is_over() {
            return Err(Errno(libc::EINVAL));
        }
        futex::sleep_50us();
    }
}
