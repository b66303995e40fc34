//! A barrier is with the workers, whose table holds its file, and waits for what io_uring has of the file too: a stand-in,
//! which has no file, takes its place in the order there, and comes back to the workers when its turn has come.
//!
//! (io_uring's own table would hold the file for longer than the barrier: before Linux 6.13 it lets files go in the order in
//! which they were taken out, each only after all requests that began before on files of that table.)
//!
//! A stand-in is the engine's whose thread has taken it from the inbox. What it stands for is the workers' all the time, and
//! may have been stopped when the stand-in is back.

use core::ptr::{self, NonNull};

use super::engines;
use super::operation::{Finish, Operation, Order, Stage};
use super::wake_batch::WakeBatch;
use crate::host::kernel::Errno;
use crate::host::memory;

#[repr(C)]
struct StandIn {
    operation: Operation,
    /// The workers' reactor alone looks at this; none if it has ended.
    original: Option<NonNull<Operation>>,
}

/// Sends a stand-in to the engine on io_uring. False: there is none. For the workers' reactor, which has to stay until it is
/// back.
///
/// # Errors
/// `EAGAIN`: memory is out.
pub fn send(mut original: NonNull<Operation>) -> Result<bool, Errno> {
    let Some(engine) = engines::uring() else { return Ok(false) };
    // SAFETY: reactor-owned.
    let this = unsafe { original.as_mut() };
    let mut operation = Operation::new(this.kind, -1, never as Finish);
    (operation.order, operation.file) = (Order::Barrier, this.file);
    (operation.is_internal, operation.stage) = (true, Stage::StandIn);
    let stand_in = memory::boxed(StandIn { operation, original: Some(original) }).map_err(|_| Errno(libc::EAGAIN))?;
    let stand_in = NonNull::from(Box::leak(stand_in));
    (this.stage, this.handle) = (Stage::AwaitsUring, stand_in.as_ptr().cast_const().cast());
    // SAFETY: leaked until it is taken back.
    if !unsafe { engine.push(stand_in.cast(), stand_in.cast()) } {
        // It has no thread, and nothing more. What it has passed on to the workers is in their inbox, and goes first.
        send_back(stand_in.cast());
    }
    Ok(true)
}

/// Its turn has come: sends a stand-in back to the workers. For io_uring's thread.
pub fn send_back(stand_in: NonNull<Operation>) {
    // They stay for it.
    if let Some(workers) = engines::workers() {
        // SAFETY: it is the workers' from here on.
        unsafe { workers.submit(stand_in) };
    }
}

/// What a stand-in stands for that is back, unless that has ended. For the workers' reactor.
pub fn take_back(stand_in: NonNull<Operation>) -> Option<NonNull<Operation>> {
    // SAFETY: the operation is the first field of a box that `send` leaked.
    let StandIn { original, .. } = *unsafe { Box::from_raw(stand_in.cast::<StandIn>().as_ptr()) };
    original
}

/// An operation that awaits io_uring ends before its stand-in is back. For the workers' reactor.
pub fn withdraw(mut original: NonNull<Operation>) {
    // SAFETY: reactor-owned.
    let stand_in = core::mem::replace(unsafe { &mut original.as_mut().handle }, ptr::null());
    // SAFETY: it is away, and alive until it is back; no other thread touches this field.
    unsafe { (*stand_in.cast::<StandIn>().cast_mut()).original = None };
}

/// A stand-in is not finished, but taken back.
unsafe fn never(_: NonNull<Operation>, _: i64, _: &mut WakeBatch) {}
