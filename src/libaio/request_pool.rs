//! Where a context's requests come from, and where they go back to be used again, with their memory for buffers.

use core::ptr::NonNull;

use super::request::Request;
use crate::host::pool::Pool;

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
