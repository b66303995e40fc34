//! A request: what an engine carries for an iocb, until its event is in the ring; and the pool of a context, where requests come
//! from and go back to be used again, with their memory for buffers.

use core::mem::{MaybeUninit, offset_of};
use core::ptr::NonNull;

use super::ring::layout::Event;
use crate::engine::{AroundOperation, Kind, Operation};
use crate::host::pool::Pool;
use crate::submission::vectors::VectorMemory;

/// One request, of a context of type `Owner`.
///
/// **`request-is-owned`**: exactly one of the submitting call, an engine, or the context's backlog has a request that was
/// taken from the pool. It passes by submission, by the call of its [`Finish`](crate::engine::Finish), and by a push onto the backlog.
#[repr(C)]
pub struct Request<Owner> {
    /// What the engine knows of it. First, so that the engine's pointer is the request's ([`AroundOperation`]).
    pub operation: MaybeUninit<Operation>,
    /// The context that the request belongs to, which stays as long as it has requests.
    pub context: *const Owner,
    /// `aio_data` of the iocb.
    pub data: u64,
    /// The address of the iocb.
    pub object: u64,
    /// Memory for the buffers of a vectored request, kept for the next use.
    pub vectors: VectorMemory,
    /// What the event will say; until then, the bytes that were moved before the request went to an engine. No result is
    /// longer.
    pub result: i32,
    /// It may wait for ever: for another program, not for a device.
    pub endless: bool,
}

const _: () =
    assert!(size_of::<Request<()>>() == 168, "with the pool's links 176 bytes: the cost of a request in flight");
const _: () = assert!(offset_of!(Request<()>, operation) == 0, "AroundOperation relies on it");
const _: () =
    assert!(align_of::<Request<()>>() >= 8, "the engine's inbox marks operations in the low bits of their addresses");

// SAFETY: its layout is asserted above; `completion::finish` is the function of a context's requests alone.
unsafe impl<Owner> AroundOperation for Request<Owner> {}

impl<Owner> Request<Owner> {
    /// The event of its end.
    pub fn event(&self) -> Event {
        Event { data: self.data, object: self.object, result: self.result.into(), result2: 0 }
    }

    /// Whether it counts as in flight: an engine had it, and it was not made for an event that found no other place.
    ///
    /// # Safety
    /// Its operation was written.
    pub unsafe fn is_counted(&self) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.operation.assume_init_ref() }.kind != Kind::Nop
    }

    /// Takes over what an event will say, except the result.
    pub const fn set_names(&mut self, event: &Event) {
        self.data = event.data;
        self.object = event.object;
    }
}

/// The requests of a context of type `Owner`.
pub struct RequestPool<Owner>(Pool<Request<Owner>>);

impl<Owner> RequestPool<Owner> {
    /// No requests yet.
    pub const fn new() -> Self {
        Self(Pool::new())
    }

    /// A request, which the caller owns. `None`: memory is out.
    #[inline]
    pub fn take(&self) -> Option<NonNull<Request<Owner>>> {
        self.0.take()
    }

    /// Takes a request back from its owner.
    #[inline]
    pub fn put(&self, request: NonNull<Request<Owner>>) {
        self.0.put(request);
    }

    /// Frees all requests. None is in use, and none is taken before this returns.
    pub fn free_all(&self) {
        self.0.free_all(|mut request| {
            // SAFETY: in the pool, which the caller has to itself. Its bytes are zero, or as its last owner left them.
            unsafe { request.as_mut() }.vectors.free();
        });
    }
}
