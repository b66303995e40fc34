//! `SIGEV_SIGNAL` and `SIGEV_THREAD_ID`: a queued signal with `SI_ASYNCIO`.

use core::ffi::c_int;

use super::sigevent::SigEvent;
use crate::host::kernel::Errno;
use crate::host::siginfo::{self, Target};
use crate::stats;

/// `si_code` of a signal that tells of asynchronous I/O.
const SI_ASYNCIO: c_int = -4;

/// Queues the signal.
///
/// # Errors
/// As [`siginfo::queue`].
pub fn send(sigevent: &SigEvent) -> Result<(), Errno> {
    let target = match sigevent.how {
        libc::SIGEV_THREAD_ID => Target::Thread(sigevent.target as c_int),
        _ => Target::Process,
    };
    siginfo::queue(target, sigevent.signal, SI_ASYNCIO, sigevent.value)?;
    stats::notified(stats::Notification::Signal, 1);
    Ok(())
}
