//! A request on its way through the engine.

use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::sync::atomic::AtomicPtr;
use std::alloc::{Layout, alloc, dealloc};

use super::context::Context;
use super::event_ring::Event;
use crate::engine::inbox::Node;
use crate::engine::{Kind, Operation};
use crate::host::pool;

/// The requests of a context.
pub type Pool = pool::Pool<Request>;

/// One request.
#[repr(C)]
pub struct Request {
    /// What the engine knows of it. First: the engine gives it back.
    pub operation: MaybeUninit<Operation>,
    /// Whose it is.
    pub context: *const Context,
    /// `aio_data` of the iocb, and its address.
    pub data: u64,
    pub object: u64,
    /// Memory for the buffers of a vectored request, kept for the next time.
    many: *mut libc::iovec,
    /// What the event will say; until then, the bytes that were moved before it went to an engine. No result is longer.
    pub result: i32,
    /// It may wait for ever: for another program, not for a device.
    pub endless: bool,
    /// For how many buffers there is memory, as a power of two; 0: there is none.
    capacity: u8,
}

const _: () = assert!(size_of::<Request>() == 168, "with the pool's links 176 bytes: what a request in flight costs");

/// The least buffers that memory is allocated for.
const MIN_BUFFERS: usize = 4;

impl Request {
    /// The event of its end.
    pub fn event(&self) -> Event {
        Event { data: self.data, object: self.object, result: self.result.into(), result2: 0 }
    }

    /// Whether it counts as in flight: it was an engine's, and not made for an event that found no other place.
    ///
    /// # Safety
    /// It has an operation.
    pub unsafe fn is_counted(&self) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.operation.assume_init_ref() }.kind != Kind::Nop
    }

    /// Takes over what an event will say, but for the result.
    pub const fn note(&mut self, event: &Event) {
        self.data = event.data;
        self.object = event.object;
    }

    /// The next in the context's backlog. The engine is done with the operation: its link is free for that.
    ///
    /// # Safety
    /// It has an operation.
    pub unsafe fn behind(&self) -> &AtomicPtr<Operation> {
        // SAFETY: the caller's promise.
        unsafe { self.operation.assume_init_ref() }.link()
    }

    /// RingPages for `count` buffers that stays until the request is freed. `None`: out of memory.
    pub fn vectors(&mut self, count: usize) -> Option<*mut libc::iovec> {
        if self.capacity == 0 || count > 1 << self.capacity {
            self.free_vectors();
            let capacity = count.next_power_of_two().max(MIN_BUFFERS);
            // SAFETY: the size is not 0.
            self.many = unsafe { alloc(Layout::array::<libc::iovec>(capacity).ok()?).cast() };
            if self.many.is_null() {
                return None;
            }
            self.capacity = capacity.ilog2() as u8;
        }
        Some(self.many)
    }

    /// Gives back what an unused request keeps.
    pub fn forget(mut unused: NonNull<Self>) {
        // SAFETY: the pool's own, and nobody has it. Its bytes are zero or as its last user left them, both valid.
        unsafe { unused.as_mut() }.free_vectors();
    }

    fn free_vectors(&mut self) {
        if self.capacity > 0
            && let Ok(layout) = Layout::array::<libc::iovec>(1 << self.capacity)
        {
            // SAFETY: allocated with this layout by `vectors`.
            unsafe { dealloc(self.many.cast(), layout) };
        }
        self.many = ptr::null_mut();
        self.capacity = 0;
    }
}
