//! `IOCB_FLAG_RESFD`: the eventfd counts one for each completion, after the event is in the ring.

use super::context::Context;
use super::iocb::{Iocb, RESFD};
use crate::engine::Eventfd::Own;
use crate::engine::WakeBatch;
use crate::host::kernel::Errno;
use crate::submission::eventfd::Eventfd;

/// How often the engine's thread looks whether another thread has written the event, before it signals all the same: a
/// thread that does not run is not waited for.
const EVENT_LOOKS: u32 = 10_000;

/// The eventfd that an iocb names, if it names one.
///
/// # Errors
/// `EBADF`; `EINVAL`: it is no eventfd.
#[inline]
pub fn of(iocb: &Iocb) -> Result<Option<Eventfd>, Errno> {
    if iocb.flags & RESFD == 0 { Ok(None) } else { Eventfd::at(iocb.resfd).map(Some) }
}

/// Has the engine signal the eventfd of the request that it has just finished.
pub fn signal_after_event(context: &Context, wakes: &mut WakeBatch) {
    for _ in 0..EVENT_LOOKS {
        if !context.has_backlog() {
            break;
        }
        core::hint::spin_loop();
    }
    wakes.signal_eventfd(Own);
}
