//! A stack that any thread pushes onto with one compare-and-swap, and one thread at a time takes from.
//!
//! The taker looks at the newest node first and removes it later, when it has used it. If another node was pushed meanwhile,
//! removing fails, and the taker comes to the node again. (The engine's inbox is another such stack; it is taken whole, and
//! its head says as well what the engine's thread does.)

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::engine::inbox::Node;

/// The stack.
pub struct Backlog<T>(AtomicPtr<T>);

impl<T: Node> Backlog<T> {
    /// An empty stack.
    pub const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Forgets all nodes. No thread pushes or takes.
    pub fn reset(&self) {
        self.0.store(ptr::null_mut(), Ordering::Relaxed);
    }

    /// Whether it is empty at the moment.
    pub fn is_empty(&self) -> bool {
        // Acquire pairs with the Release of `remove_newest`: what the taker did with the nodes is seen.
        self.0.load(Ordering::Acquire).is_null()
    }

    /// Pushes a node.
    ///
    /// # Safety
    /// The node is valid and the caller's alone, and stays until it is removed.
    pub unsafe fn push(&self, node: NonNull<T>) {
        let mut newest = self.0.load(Ordering::Relaxed);
        loop {
            // SAFETY: the caller's node until the exchange. Relaxed: published by the exchange.
            unsafe { node.as_ref() }.link().store(newest, Ordering::Relaxed);
            // Release pairs with the Acquire of `newest`: the taker sees the whole node.
            match self.0.compare_exchange_weak(newest, node.as_ptr(), Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => newest = now,
            }
        }
    }

    /// The newest node. For the taker.
    pub fn newest(&self) -> Option<NonNull<T>> {
        // Acquire pairs with the Release of `push`.
        NonNull::new(self.0.load(Ordering::Acquire))
    }

    /// Removes `node` if it is still the newest.
    ///
    /// # Safety
    /// The caller is the taker, and [`Backlog::newest`] gave the node.
    pub unsafe fn remove_newest(&self, node: NonNull<T>) -> bool {
        // SAFETY: only the taker removes nodes. Relaxed: ordered by `newest`.
        let older = unsafe { node.as_ref() }.link().load(Ordering::Relaxed);
        // Acquire as in `newest`, for the older node; Release pairs with the Acquire of `is_empty`.
        self.0.compare_exchange(node.as_ptr(), older, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}
