//! A request on its way through the engine.

use core::mem::MaybeUninit;
use core::ptr;
use std::alloc::{Layout, alloc, dealloc};

use super::context::Context;
use super::event_ring::Event;
use crate::engine::Operation;
use crate::host::pool::{self, Item, Links};

/// The requests of a context.
pub type Pool = pool::Pool<Request>;

/// One request.
#[repr(C)]
pub struct Request {
    /// What the engine knows of it. First: the engine gives it back.
    pub operation: MaybeUninit<Operation>,
    /// Whose it is.
    pub context: *const Context,
    /// What the event will say.
    pub event: Event,
    links: Links,
    /// The next in the context's backlog.
    pub behind: *mut Request,
    /// Where its stream is counted, see [`streams`](super::streams).
    pub stream: Option<u16>,
    /// It may wait for ever: for another program, not for a device.
    pub endless: bool,
    capacity: u32,
    /// Memory for the buffers of a vectored request, kept for the next time.
    many: *mut libc::iovec,
}

const _: () = assert!(size_of::<Request>() <= 256, "what a request in flight may cost");

// SAFETY: nothing but the pool touches the links.
unsafe impl Item for Request {
    fn new(links: Links) -> Self {
        Self {
            operation: MaybeUninit::uninit(),
            context: ptr::null(),
            event: Event::default(),
            links,
            behind: ptr::null_mut(),
            stream: None,
            endless: false,
            capacity: 0,
            many: ptr::null_mut(),
        }
    }

    fn links(this: *const Self) -> *const Links {
        // SAFETY: the pool asks for requests that exist.
        unsafe { &raw const (*this).links }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.free_vectors();
    }
}

/// The least buffers that memory is allocated for.
const FEW: usize = 4;

impl Request {
    /// Room for `count` buffers that stays until the request is freed. `None`: out of memory.
    pub fn vectors(&mut self, count: usize) -> Option<*mut libc::iovec> {
        if count > self.capacity as usize || self.many.is_null() {
            self.free_vectors();
            let capacity = count.next_power_of_two().max(FEW);
            // SAFETY: the size is not 0.
            self.many = unsafe { alloc(Layout::array::<libc::iovec>(capacity).ok()?).cast() };
            if self.many.is_null() {
                return None;
            }
            self.capacity = capacity as u32;
        }
        Some(self.many)
    }

    fn free_vectors(&mut self) {
        if self.capacity > 0
            && let Ok(layout) = Layout::array::<libc::iovec>(self.capacity as usize)
        {
            // SAFETY: allocated with this layout by `vectors`.
            unsafe { dealloc(self.many.cast(), layout) };
        }
        self.many = ptr::null_mut();
        self.capacity = 0;
    }
}
