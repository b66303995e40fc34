//! How a program uses a context: from one thread alone, which reaps by `io_getevents` what it submitted? Then that thread's
//! requests can go by a [private ring](crate::engine::private) of its own.
//!
//! A context becomes private by what was seen of it, and shared, for good, by the first call of another thread or the first
//! event that the program takes out of the ring in memory by itself.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::context::Context;
use super::handover::Lender;
use crate::engine::private::{self, On, Proof, Ring};
use crate::host::futex;
use crate::host::thread;

/// [`Habit::thread`]: nobody has used it yet; more than one thread has, or a thread that reads the ring in memory.
const UNKNOWN: usize = 0;
const SHARED: usize = 1;

/// What is known of one context's use.
pub struct Habit {
    /// The one thread that uses the context, by its thread pointer.
    thread: AtomicUsize,
    /// What that thread has shown.
    proof: Proof,
    /// Where it left the ring's head.
    head: AtomicU32,
    /// Requests that went by a private ring and have not completed.
    private: AtomicU32,
    /// Whose ring that is.
    ring_of: AtomicUsize,
    /// Of a shared one: who reaps.
    pub lender: Lender,
}

impl Habit {
    /// Of a context that was never used.
    pub const fn new() -> Self {
        Self {
            thread: AtomicUsize::new(UNKNOWN),
            proof: Proof::new(),
            head: AtomicU32::new(0),
            private: AtomicU32::new(0),
            ring_of: AtomicUsize::new(0),
            lender: Lender::new(),
        }
    }

    /// Forgets everything. Nobody uses the context.
    pub fn reset(&self) {
        self.thread.store(UNKNOWN, Ordering::Relaxed);
        self.proof.reset();
        self.head.store(0, Ordering::Relaxed);
        self.lender.reset();
    }

    /// Requests that went by a private ring and have not completed.
    #[inline]
    pub fn private(&self) -> u32 {
        // Acquire pairs with the Release of `completed`: their events are in the ring.
        self.private.load(Ordering::Acquire)
    }

    /// Whether another thread may sleep in its own ring, for a request that was handed over to it, and has not said at what
    /// count it is to be woken.
    pub fn keeps_another(&self) -> bool {
        self.private.load(Ordering::Relaxed) > 0
            && self.thread.load(Ordering::Relaxed) == SHARED
            && self.ring_of.load(Ordering::Relaxed) != thread::pointer()
    }

    /// A request goes by the calling thread's ring.
    pub fn submitted(&self) {
        self.ring_of.store(thread::pointer(), Ordering::Relaxed);
        // Relaxed: who must know of it calls later, in the program's own order.
        self.private.fetch_add(1, Ordering::Relaxed);
    }

    /// A request that went by a private ring has completed, and its event is in the ring.
    pub fn completed(&self) {
        self.private.fetch_sub(1, Ordering::Release);
    }
}

impl Context {
    /// Notes that the calling thread uses the context. Whether it is the only one that does.
    #[inline]
    pub fn is_mine(&self) -> bool {
        let me = thread::pointer();
        let habit = &self.habit.0;
        // Relaxed: each thread looks for itself alone.
        match habit.thread.load(Ordering::Relaxed) {
            known if known == me => true,
            UNKNOWN => habit.thread.compare_exchange(UNKNOWN, me, Ordering::Relaxed, Ordering::Relaxed).is_ok(),
            SHARED => false,
            _ => {
                self.share();
                false
            }
        }
    }

    /// The context is no one thread's from here on. Who waits in his own ring is told.
    #[cold]
    pub fn share(&self) {
        if self.habit.0.thread.swap(SHARED, Ordering::SeqCst) != SHARED {
            self.stir();
        }
    }

    /// Sees to it that requests in another thread's private ring complete without that thread's doing, as far as they can.
    #[cold]
    pub fn fetch(&self) {
        self.share();
        let habit = &self.habit.0;
        let mut naps = 0u32;
        while habit.private() > 0 {
            match private::of(habit.ring_of.load(Ordering::Relaxed)) {
                Some(ring) if ring.in_flight() > 0 => {
                    if !private::fetch(ring) {
                        return;
                    }
                }
                // Its last thread has just ended, and it with it; or the engine has what is left; or another ring has.
                _ => {
                    futex::nap();
                    naps += 1;
                    if naps.is_multiple_of(16) {
                        private::settle(On::Anything);
                    }
                }
            }
        }
    }

    /// The calling thread begins a call on the context. Whether it is the only one that uses it.
    #[inline]
    pub fn begin_call(&self) -> bool {
        let mine = self.is_mine();
        if mine {
            self.habit.0.proof.enter();
        }
        mine
    }

    /// The calling thread, whose context this is, ends a call that submitted.
    #[inline]
    pub fn end_submit(&self) {
        self.habit.0.proof.leave(0, true);
    }

    /// The calling thread, whose context this is, ends a call that reaped `count` events.
    #[inline]
    pub fn end_reap(&self, count: usize) {
        let habit = &self.habit.0;
        habit.proof.leave(count, self.in_flight() > 0);
        // Relaxed: this thread alone writes here.
        habit.head.store(self.ring().head(), Ordering::Relaxed);
    }

    /// The calling thread's own ring, if its requests of this context may go by it. `mine`: see [`Context::is_mine`].
    #[inline]
    pub fn private_ring(&self, mine: bool) -> Option<&'static Ring> {
        let habit = &self.habit.0;
        if !mine || !habit.proof.is_enough() {
            return None;
        }
        if habit.head.load(Ordering::Relaxed) != self.ring().head() {
            // The program has taken events by itself.
            self.share();
            return None;
        }
        private::open()
    }

    /// The calling thread's own ring, if requests of this context are under way in it.
    #[inline]
    pub fn ring_under_way(&self) -> Option<&'static Ring> {
        let habit = &self.habit.0;
        if habit.private() > 0 && habit.ring_of.load(Ordering::Relaxed) == thread::pointer() {
            private::mine().filter(|ring| ring.in_flight() > 0)
        } else {
            None
        }
    }
}
