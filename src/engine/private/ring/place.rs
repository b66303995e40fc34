//! The place of a ring: whose it is, and how a ring comes into it and out of it again, by its thread or after it.

use core::ptr;
use core::sync::atomic::{Ordering, compiler_fence};

use super::Ring;
use crate::engine::private::parts::Parts;
use crate::host::{futex, kernel};

/// Stand for a thread that has ended without a word, and for whoever takes its ring apart.
const LEFT: usize = 1;
const CLEARED: usize = 2;

impl Ring {
    /// Whether it is the ring of this thread.
    #[inline]
    pub fn belongs_to(&self, thread: usize) -> bool {
        // Relaxed: a thread wrote its own pointer itself, and any other reads it as a guess.
        self.owner.load(Ordering::Relaxed) == thread
    }

    /// Takes a free place for the calling thread.
    pub(in crate::engine::private) fn take_place(&self, me: usize) -> bool {
        let taken = self.owner.compare_exchange(0, me, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if taken {
            self.retired.store(false, Ordering::Relaxed);
            self.proof.reset();
        }
        taken
    }

    pub(in crate::engine::private) fn leave_place(&self) {
        // Release pairs with the next taker's Acquire.
        self.owner.store(0, Ordering::Release);
    }

    /// Its thread has ended without a word, and the calling one has the same thread pointer. What is under way is looked after
    /// by the watch. Async-signal-safe.
    #[cold]
    pub(in crate::engine::private) fn outlive(&self, me: usize) {
        // SeqCst pairs with `take_apart`: where it is seen that there is no ring any more, it is seen whose the place is.
        let left = if self.alive.load(Ordering::SeqCst) { LEFT } else { 0 };
        let _ = self.owner.compare_exchange(me, left, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Frees the place if such a thread has left it, and nothing is under way.
    pub(in crate::engine::private) fn clear_away(&self) {
        let thread = self.thread();
        if self.belongs_to(LEFT) && self.in_flight() == 0 {
            self.take_apart(thread);
        }
    }

    /// The thread is about to make the ring. False: it is at it already, and this call has interrupted it.
    pub(in crate::engine::private) fn begin_making(&self) -> bool {
        !self.busy.swap(true, Ordering::Relaxed)
    }

    /// The ring is made, or is not to be had.
    pub(in crate::engine::private) fn end_making(&self) {
        compiler_fence(Ordering::SeqCst);
        self.busy.store(false, Ordering::Relaxed);
    }

    /// There is a ring from here on.
    pub(in crate::engine::private) fn begin_use(&self, parts: Box<Parts>) {
        // Relaxed: not alive, so nobody looks.
        self.parts.store(Box::into_raw(parts), Ordering::Relaxed);
        self.reset_width();
        self.thread.store(kernel::thread_id(), Ordering::Relaxed);
        self.strayed.store(false, Ordering::Relaxed);
        self.lost.store(false, Ordering::Relaxed);
        self.waits.store(0, Ordering::Relaxed);
        self.in_flight.store(0, Ordering::Relaxed);
        self.fetched.store(0, Ordering::Relaxed);
        self.sent.store(0, Ordering::Relaxed);
        self.nudged.store(0, Ordering::Relaxed);
        self.disarm();
        self.absence.reset();
        // SeqCst pairs with `visit`.
        self.alive.store(true, Ordering::SeqCst);
    }

    /// The thread ends, or needs the ring no longer.
    pub(in crate::engine::private) fn end_use(&'static self) {
        self.retire();
        self.shut_desk();
        self.finish_all();
        let Some(parts) = self.parts() else { return self.leave_place() };
        // SAFETY: this is the ring's thread.
        unsafe { parts.end() };
        // Where something is still under way (a device that hangs), the memory stays, and the watch waits for it.
        if self.in_flight() == 0 {
            self.take_apart(self.thread());
        }
    }

    /// Frees the place of a ring that has nothing under way, and whose thread was this one, and has ended.
    pub(in crate::engine::private) fn take_apart(&self, thread: i32) {
        // By one of those who have found that out, and not if the ring is another thread's by now.
        if thread == 0 || self.thread.compare_exchange(thread, 0, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        self.owner.store(CLEARED, Ordering::Relaxed);
        self.shut_desk();
        // SeqCst pairs with `visit`.
        self.alive.store(false, Ordering::SeqCst);
        while self.visitors.load(Ordering::SeqCst) > 0 {
            futex::linger();
        }
        let parts = self.parts.swap(ptr::null_mut(), Ordering::Acquire);
        if !parts.is_null() {
            // SAFETY: a box; not alive, and nobody looks.
            drop(unsafe { Box::from_raw(parts) });
        }
        self.leave_place();
    }
}
