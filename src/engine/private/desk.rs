//! Where a thread that looks for work takes it over from another, from hand to hand: one thing at a time, without a system
//! call on either side.
//!
//! It is open only while its keeper looks at it, and whoever lays something down stays until it is taken. If it is not, in
//! the time that a running keeper needs, he takes it back: the keeper was interrupted, and may not come again.

use core::ptr::{self, NonNull};

#[cfg(not(loom))]
use core::sync::atomic::{AtomicPtr, Ordering};
#[cfg(loom)]
use loom::sync::atomic::{AtomicPtr, Ordering};

/// The desk of one thread, its keeper.
pub struct Desk<T> {
    /// [`closed`], [`open`], [`in_hand`], or what lies there.
    state: AtomicPtr<T>,
}

/// Nobody looks.
const fn closed<T>() -> *mut T {
    ptr::null_mut()
}

/// The keeper looks, and nothing lies there.
const fn open<T>() -> *mut T {
    ptr::without_provenance_mut(1)
}

/// The keeper has something in hand that he took from there.
const fn in_hand<T>() -> *mut T {
    ptr::without_provenance_mut(2)
}

impl<T> Desk<T> {
    /// A closed desk.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new() -> Self {
        Self { state: AtomicPtr::new(closed()) }
    }

    /// The same; loom's atomics cannot be made by a constant.
    #[cfg(loom)]
    pub fn new() -> Self {
        Self { state: AtomicPtr::new(closed()) }
    }

    fn change(&self, from: *mut T, to: *mut T) -> bool {
        // Release: who finds what is laid down sees it whole. Acquire: and so does who takes it back.
        self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    // --- The keeper ---------------------------------------------------------------------------------------------------

    /// Opens it. False: it is open already, by a call that this one has interrupted.
    pub fn open(&self) -> bool {
        self.change(closed(), open())
    }

    /// Takes what lies there into the hand, and closes the desk when that is [put away](Desk::put_away).
    pub fn take(&self) -> Option<NonNull<T>> {
        // Relaxed: the exchange acquires.
        let it = self.state.load(Ordering::Relaxed);
        (it != closed() && it != open() && it != in_hand() && self.change(it, in_hand())).then(|| NonNull::new(it))?
    }

    /// Closes it; what still came goes into the hand.
    pub fn close(&self) -> Option<NonNull<T>> {
        if self.change(open(), closed()) { None } else { self.take() }
    }

    /// What was in hand has gone its way.
    pub fn put_away(&self) {
        // Release pairs with the Acquire of `is_clear`. (No exchange: nobody changes it but its keeper.)
        self.state.store(closed(), Ordering::Release);
    }

    /// The keeper has left what he had in hand, and does not come back to it.
    pub fn give_up(&self) {
        self.change(in_hand(), closed());
    }

    // --- Everybody else -----------------------------------------------------------------------------------------------

    /// Lays something down. False: it is not open, or something lies there.
    pub fn lay(&self, it: NonNull<T>) -> bool {
        self.change(open(), it.as_ptr())
    }

    /// Whether it still lies there.
    pub fn has(&self, it: NonNull<T>) -> bool {
        self.state.load(Ordering::Relaxed) == it.as_ptr()
    }

    /// Takes back what was laid down, and closes the desk. False: it was taken.
    pub fn take_back(&self, it: NonNull<T>) -> bool {
        self.change(it.as_ptr(), closed())
    }

    /// Whether nothing lies there and nothing is in hand.
    pub fn is_clear(&self) -> bool {
        let it = self.state.load(Ordering::Acquire);
        it == closed() || it == open()
    }
}
