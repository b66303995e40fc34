//! The contexts of this process: every call finds its context here, or has nothing to do with the library.

mod table;

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use table::Table;

use super::context::ContextRef;
use super::ring::event_ring::{self, EventRing};
use super::ring::ring_size::RingSize;
use crate::host::address_range::AddressRange;
use crate::host::fork::PerProcess;
use crate::host::kernel::Errno;
use crate::host::memory::boxed;
use crate::host::settings;
use crate::host::user_access;

static CONTEXTS: PerProcess<Contexts> = PerProcess::new(2);

/// What the libaio face has in this process. A forked child has nothing: it finds none of its parent's contexts, as after
/// the kernel's own fork.
struct Contexts {
    table: Table,
    /// What `io_setup` was asked for, all contexts together. Relaxed throughout: a limit, which orders nothing.
    requested: AtomicU64,
    /// See [`transfers`].
    transfers: AtomicU32,
}

/// Whose an address is that a program passes.
pub enum Found {
    /// A context that the library carries, in use by the caller.
    Ours(ContextRef),
    /// One that the kernel carries. The call needs nothing of the library's: if another thread ends the context meanwhile, the
    /// kernel says so.
    Carried,
    /// No context of the library's.
    Unknown,
}

/// Whose `address` is.
#[inline]
pub fn owner(address: usize) -> Found {
    match CONTEXTS.get().and_then(|contexts| contexts.table.look_up(address)) {
        None => Found::Unknown,
        Some(context) if context.carriage.was_handed_over() => Found::Carried,
        Some(context) => match context.enter(address) {
            Some(used) if used.carriage.is_kernels() => Found::Carried,
            Some(used) => Found::Ours(used),
            None => Found::Unknown,
        },
    }
}

/// The context at `address`, if it is the library's.
#[inline]
pub fn find(address: usize) -> Option<ContextRef> {
    CONTEXTS.get()?.table.find(address)
}

/// Transfers of files that are with the engines, of all contexts. A call that was left by a jump may have counted one too many.
/// Relaxed: a thread that asks about a transfer has seen the `io_submit` of it return.
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

/// Makes a context for at least `nr_events` requests in flight, and gives its address.
///
/// # Errors
/// `EAGAIN`: past `URINGAIO_MAX_EVENTS`. `ENOMEM`.
pub fn add(nr_events: u32, size: RingSize) -> Result<usize, Errno> {
    let contexts = CONTEXTS.get_or_init(|| {
        boxed(Contexts { table: Table::new()?, requested: AtomicU64::new(0), transfers: AtomicU32::new(0) })
    })?;
    contexts.reserve(nr_events)?;
    contexts.open(nr_events, size).inspect_err(|_| contexts.unreserve(nr_events))
}

impl Contexts {
    fn reserve(&self, nr_events: u32) -> Result<(), Errno> {
        let most = settings::get().max_events.unwrap_or(u64::MAX);
        let all = self.requested.fetch_add(nr_events.into(), Ordering::Relaxed) + u64::from(nr_events);
        if all > most {
            self.unreserve(nr_events);
            return Err(Errno(libc::EAGAIN));
        }
        Ok(())
    }

    fn unreserve(&self, nr_events: u32) {
        self.requested.fetch_sub(nr_events.into(), Ordering::Relaxed);
    }

    fn open(&self, nr_events: u32, size: RingSize) -> Result<usize, Errno> {
        self.table.add(|context, memory| {
            let (ring, address) = EventRing::new(size, memory)?;
            // SAFETY: a context that is not in use, and that only this call has.
            unsafe { context.open(ring, address, nr_events) };
            Ok(address)
        })
    }
}

/// What is left of a context that is destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remains {
    /// The program's mapping of the ring is there, and goes with the context.
    pub is_mapped: bool,
    /// No other call uses the context. Otherwise its memory is left to the call that may come back to it.
    pub is_alone: bool,
}

/// Takes apart a context that the caller uses and has marked as destroyed, and in which nothing is in flight any more.
pub fn dispose(context: ContextRef, remains: Remains) {
    let Some(contexts) = CONTEXTS.get() else { return };
    let disposed = context.context();
    contexts.table.remove(disposed);
    if remains.is_mapped {
        event_ring::unmap(disposed.address(), disposed.ring().length());
        user_access::forget(AddressRange::new(disposed.address(), disposed.ring().length()));
    }
    drop(context);
    contexts.unreserve(disposed.requested.load(Ordering::Relaxed));
    if remains.is_alone {
        // SAFETY: no other call uses it, and nothing is in flight.
        let ring = unsafe { disposed.close() };
        contexts.table.give_back(disposed, ring);
    }
}

/// The program has moved its mapping from one address to another: the context goes with it.
pub fn moved(from: usize, to: usize) {
    if let Some(contexts) = CONTEXTS.get() {
        contexts.table.moved(from, to);
    }
}

/// A context whose mapping begins in this memory.
pub fn within(memory: AddressRange) -> Option<ContextRef> {
    let contexts = CONTEXTS.get()?;
    contexts.table.find(contexts.table.within(memory)?)
}
