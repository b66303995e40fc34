//! The contexts of this process: `io_setup` makes one, and every other call finds it here or has nothing to do with us.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::context::Used;
use super::event_ring::{self, EventRing};
use super::table::Table;
use super::{got_patch, kernel_aio, user_access};
use crate::engine;
use crate::host::kernel::Errno;
use crate::host::memory::boxed;
use crate::host::process::PerProcess;
use crate::host::settings;

static CONTEXTS: PerProcess<Contexts> = PerProcess::new(2);

/// What the libaio face has in this process. A forked child has nothing: it finds none of its parent's contexts, as after
/// the kernel's own fork.
struct Contexts {
    table: Table,
    /// What was asked of `io_setup`, all contexts together.
    requested: AtomicU64,
    /// See [`transfers`].
    transfers: AtomicU32,
}

/// The context at `address`, if it is one of ours.
#[inline]
pub fn find(address: usize) -> Option<Used> {
    CONTEXTS.get()?.table.find(address)
}

/// Transfers of files that are with the engines, of all contexts. A call that was left by a jump may have counted one too many.
/// Relaxed: whoever asks after a transfer has seen its call return.
fn transfers() -> Option<&'static AtomicU32> {
    Some(&CONTEXTS.get()?.transfers)
}

/// A transfer of a file is about to go to an engine.
pub fn begin_transfer() {
    if let Some(transfers) = transfers() {
        transfers.fetch_add(1, Ordering::Relaxed);
    }
}

/// It has ended.
pub fn end_transfer() {
    if let Some(transfers) = transfers() {
        transfers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether a file may be read or written by an engine at present.
pub fn has_transfers() -> bool {
    transfers().is_some_and(|transfers| transfers.load(Ordering::Relaxed) > 0)
}

/// `io_setup(2)`: makes a context for at least `nr_events` requests in flight and stores its address at `to`. Where the
/// engines stand aside the kernel makes one of its own.
///
/// # Errors
/// `EFAULT`: `to` cannot be read or written. `EINVAL`: what is there is not 0, or `nr_events` is 0 or too many. `EAGAIN`:
/// past `URINGAIO_MAX_EVENTS`. `ENOMEM`.
pub fn set_up(nr_events: u32, to: usize) -> Result<usize, Errno> {
    // The kernel says ENOMEM where memory is short; EAGAIN is for a limit.
    if !settings::get().served.libaio() || engine::get().map_err(|_| Errno(libc::ENOMEM))?.is_none() {
        return kernel_aio::set_up(nr_events, to);
    }
    user_access::readable(to, size_of::<usize>())?;
    // SAFETY: just seen to be readable.
    let before = unsafe { (to as *const usize).read_unaligned() };
    if before != 0 || nr_events == 0 {
        return Err(Errno(libc::EINVAL));
    }
    let size = event_ring::size(nr_events)?;
    user_access::writable(to, size_of::<usize>())?;
    got_patch::install();
    let contexts = CONTEXTS.get_or_init(|| {
        boxed(Contexts { table: Table::new()?, requested: AtomicU64::new(0), transfers: AtomicU32::new(0) })
    })?;
    contexts.count(nr_events)?;
    let address = contexts.open(nr_events, size).inspect_err(|_| contexts.uncount(nr_events))?;
    // SAFETY: just seen to be writable.
    unsafe { (to as *mut usize).write_unaligned(address) };
    Ok(0)
}

impl Contexts {
    fn count(&self, nr_events: u32) -> Result<(), Errno> {
        let most = settings::get().max_events.unwrap_or(u64::MAX);
        let all = self.requested.fetch_add(nr_events.into(), Ordering::Relaxed) + u64::from(nr_events);
        if all > most {
            self.uncount(nr_events);
            return Err(Errno(libc::EAGAIN));
        }
        Ok(())
    }

    fn uncount(&self, nr_events: u32) {
        self.requested.fetch_sub(nr_events.into(), Ordering::Relaxed);
    }

    fn open(&self, nr_events: u32, size: (u32, usize)) -> Result<usize, Errno> {
        self.table.add(|context, memory| {
            let (ring, address) = EventRing::new(size, memory)?;
            // SAFETY: a context that is not in use, ours alone.
            unsafe { context.open(ring, address, nr_events) };
            Ok(address)
        })
    }
}

/// Takes apart a context that the caller has killed and uses, and in which nothing is under way any more. With `mapped` the
/// program's mapping goes too. Unless he is `alone`, its memory is left to whoever may still come back to it.
pub fn dispose(used: Used, mapped: bool, alone: bool) {
    let Some(contexts) = CONTEXTS.get() else { return };
    let context = used.context();
    contexts.table.remove(context);
    if mapped {
        event_ring::unmap(context.address(), context.ring().length());
        user_access::forget(context.address(), context.ring().length());
    }
    drop(used);
    contexts.uncount(context.requested.load(Ordering::Relaxed));
    if alone {
        // SAFETY: the caller has seen to it that nobody uses it.
        let ring = unsafe { context.close() };
        contexts.table.give_back(context, ring);
    }
}

/// The program has moved its mapping from one address to another: the context goes with it.
pub fn moved(from: usize, to: usize) {
    if let Some(contexts) = CONTEXTS.get() {
        contexts.table.moved(from, to);
    }
}

/// A context whose mapping begins within these bytes.
pub fn within(start: usize, length: usize) -> Option<Used> {
    let contexts = CONTEXTS.get()?;
    contexts.table.find(contexts.table.within(start, length)?)
}
