//! The engines: one thread with an io_uring, and worker threads that make plain system calls; and the door to both.
//!
//! A face makes an [`Operation`] and submits it to the engine that the router has chosen. A thread of the engine's
//! calls the operation's [`Finish`] when it is done. The engines know nothing of aiocbs, iocbs or signals.
//!
//! io_uring serves the files for which it is known to answer as `pread` and `pwrite` do; the workers serve everything
//! else, and everything where io_uring cannot be used. Threads start when they are first needed, and end when there is
//! nothing to do ([`lifecycle`]).

mod cancel;
mod device;
pub mod device_times;
mod end_threads;
mod engines;
mod failover;
mod fixed_files;
pub mod inbox;
mod lifecycle;
mod operation;
mod order;
mod outstanding;
mod queue;
pub mod raw_ring;
mod reactor;
pub mod read_times;
mod redo;
mod ring_layout;
mod ring_queues;
#[cfg(test)]
pub mod simulated;
mod sleep_policy;
mod stand_in;
mod submit;
#[cfg(test)]
mod tests;
mod uring;
mod uring_thread;
mod wake_batch;
mod workers;

use core::ffi::c_int;

pub use cancel::Matcher;
pub use end_threads::end_threads;
#[cfg(not(feature = "libaio-abi"))]
pub use engines::for_separate_thread;
pub use engines::{Engines, await_last, await_none, running, stands_aside, started};
pub use failover::close_uring;
pub use lifecycle::{Carrier, Engine};
#[cfg(not(feature = "libaio-abi"))]
pub use operation::Finish;
pub use operation::{AroundOperation, CANCELED, Kind, MAX_RW_BYTES, Operation, Order, TELLS_BOTH};
pub use submit::{chain, end_here};
pub use uring::permissions::denies as uring_denies;
pub use wake_batch::{Eventfd, WakeBatch};

use crate::host::descriptors::{self, Hooks};
use crate::host::kernel::Errno;
use crate::host::log::{self, Priority};
use crate::host::settings::{self, EngineChoice};
use crate::stats::{self, ServedBy};

/// Starts what serves this process, at the first call; nothing where the system's own implementation has to serve, now or
/// for good ([`stands_aside`]).
///
/// # Errors
/// `EAGAIN`: there is no memory to begin with; nothing is decided yet.
#[inline]
pub fn get() -> Result<Option<Engines>, Errno> {
    if engines::uring_serves() || engines::workers_serve_alone() { Ok(started()) } else { start() }
}

/// What is done before the program changes a descriptor.
const HOOKS: Hooks = Hooks { settle: engines::settle_all, drain: engines::drain_all, let_go: engines::let_go };

#[cold]
fn start() -> Result<Option<Engines>, Errno> {
    static SET: Hooks = HOOKS;
    descriptors::set_hooks(&SET);
    let choice = settings::get().engine;
    if choice != EngineChoice::System {
        let workers = engines::make(Carrier::Workers, workers::start)?;
        let uring_serves =
            choice != EngineChoice::Threads && engines::make(Carrier::Uring, uring_thread::start)?.serve();
        if uring_serves || (choice != EngineChoice::Uring && workers.serve()) {
            return Ok(started());
        }
    }
    if stats::serves() != ServedBy::System as c_int || !stats::has_begun() {
        stats::begin(ServedBy::System);
        if choice == EngineChoice::System {
            log::log(Priority::Info, format_args!("the system's own AIO serves: URINGAIO_ENGINE=system"));
        }
    }
    Ok(None)
}
