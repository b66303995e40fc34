//! The end of a request that went to an engine: its event goes into the ring, and its eventfd is signalled.

use core::ptr::NonNull;

use super::context::Request;
use super::{eventfd, registry};
use crate::engine::{AroundOperation, CANCELED, Eventfd, Kind, Operation, WakeBatch};
use crate::host::siginfo;
use crate::stats::{Face, probes};
use crate::submission::order_counts;

/// An engine is done with a request.
///
/// # Safety
/// As for a [`Finish`](crate::engine::Finish).
pub unsafe fn finish(operation: NonNull<Operation>, result: i64, wakes: &mut WakeBatch) {
    let mut request = Request::of(operation);
    // SAFETY: request-is-owned, by the engine's thread, which gives it to this call. The context stays as long as it has
    // requests.
    let (this, context) = unsafe {
        let this = request.as_mut();
        let context = &*this.context;
        (this, context)
    };
    // SAFETY: it was submitted.
    let operation = unsafe { this.operation.assume_init_ref() };
    let (kind, has_eventfd) = (operation.kind, operation.eventfds[Eventfd::Own as usize] >= 0);
    let told_by_sigpipe = operation.told_by_sigpipe();
    order_counts::done(operation.file, operation.order);
    if operation.kind.is_transfer() && !this.endless {
        registry::end_transfer();
    }
    let moved = i64::from(this.result);
    let result = match result {
        // As the kernel's AIO ends a cancelled poll (measured on Linux 6.18).
        result if kind == Kind::Poll && result == CANCELED => 0,
        // A part was moved in the calling thread.
        result if moved > 0 => moved + result.max(0),
        result => result,
    };
    this.result = result as i32;
    probes::complete(Face::Libaio, this.object as usize, result);
    // SAFETY: request-is-owned, as above; it is of this context's pool.
    if unsafe { context.complete_request(request) } {
        wakes.wake(context.word(), u32::MAX);
    }
    if let Some(thread) = told_by_sigpipe {
        siginfo::raise_in(thread, libc::SIGPIPE);
    }
    if has_eventfd {
        eventfd::signal_after_event(context, wakes);
    }
}

/// The request around an operation, if it is one of this face's.
pub fn request_of(operation: &Operation) -> Option<&Request> {
    Request::around(operation, finish)
}
