//! `IOCB_FLAG_RESFD`: the eventfd counts one for each completion, after the event is in the ring.

use core::ffi::c_int;

use super::context::Context;
use super::iocb::{Iocb, RESFD};
use crate::engine::WakeBatch;
use crate::host::descriptors;
use crate::host::kernel::Errno;
use crate::stats::{self, Notification};
use crate::submission::fd_cache::{self, FdInfo};
use crate::submission::inline_io;

/// How often the engine's thread looks whether another thread has written the event, before it signals all the same: a
/// thread that does not run is not waited for.
const EVENT_LOOKS: u32 = 10_000;

/// The eventfd of an iocb.
#[derive(Clone, Copy)]
pub struct Eventfd {
    fd: c_int,
    info: FdInfo,
    /// [`descriptors::generation`] of the number when it was looked up.
    generation: u32,
}

/// The eventfd that an iocb names, if it names one.
///
/// # Errors
/// `EBADF`; `EINVAL`: it is no eventfd.
#[inline]
pub fn of(iocb: &Iocb) -> Result<Option<Eventfd>, Errno> {
    if iocb.flags & RESFD == 0 {
        return Ok(None);
    }
    let (fd, generation) = (iocb.resfd, descriptors::generation(iocb.resfd));
    let info = fd_cache::lookup(fd)?;
    if info.is_eventfd() { Ok(Some(Eventfd { fd, info, generation })) } else { Err(Errno(libc::EINVAL)) }
}

/// Counts an iocb that was done at once, and whose event is in the ring. A thread that has seen the event may close the
/// eventfd, and the number may then be another file's: nothing is written there.
pub fn signal(eventfd: Eventfd) {
    let Eventfd { fd, info, generation } = eventfd;
    descriptors::while_open(fd, generation, || {
        inline_io::signal_eventfd(fd, info);
        stats::notified(Notification::Eventfd, 1);
    });
}

/// Has the engine signal the eventfd of the request that it has just finished.
pub fn signal_after_event(context: &Context, wakes: &mut WakeBatch) {
    for _ in 0..EVENT_LOOKS {
        if !context.has_backlog() {
            break;
        }
        core::hint::spin_loop();
    }
    wakes.signal_eventfd();
}
