//! What a thread must have shown before it gets a ring: that it reaps what it submits, and sleeps nowhere else meanwhile.
//!
//! A thread that submits and then sleeps in `epoll_wait`, say, may be one that reads the completion ring in memory later, or
//! for which another thread does: its requests must complete without it.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::host::settings::{self, Private};
use crate::host::thread;

/// Completions of its own requests that a thread must have reaped in a row.
const ENOUGH: u32 = 64;

/// How often a thread may have slept elsewhere before it is not looked at any more.
const LAPSES: u32 = 16;

/// What one thread has shown. All fields are that thread's alone; Relaxed throughout.
pub struct Proof {
    reaped: AtomicU32,
    lapses: AtomicU32,
    /// How often the thread had slept, plus 1, when it left with requests in flight; 0 if it left none.
    slept: AtomicU64,
}

impl Proof {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { reaped: AtomicU32::new(0), lapses: AtomicU32::new(0), slept: AtomicU64::new(0) }
    }

    /// Begins anew.
    pub fn reset(&self) {
        self.reaped.store(0, Ordering::Relaxed);
        self.lapses.store(0, Ordering::Relaxed);
        self.slept.store(0, Ordering::Relaxed);
    }

    /// Whether it is enough.
    #[inline]
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.reaped.load(Ordering::Relaxed) >= ENOUGH || settings::get().private == Private::Always
    }

    /// Whether it will never be enough.
    #[inline]
    fn is_hopeless(&self) -> bool {
        self.lapses.load(Ordering::Relaxed) >= LAPSES
    }

    /// The thread comes in. (Free of cost once it is enough, or hopeless.)
    #[inline]
    pub fn enter(&self) {
        if !self.is_enough() && !self.is_hopeless() {
            self.look();
        }
    }

    #[cold]
    fn look(&self) {
        let slept = self.slept.swap(0, Ordering::Relaxed);
        if slept != 0 && slept != thread::sleeps() + 1 {
            self.reaped.store(0, Ordering::Relaxed);
            self.lapses.store(self.lapses.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }

    /// The thread has reaped `count` completions and goes; `in_flight`: and leaves requests in flight.
    #[inline]
    pub fn leave(&self, count: usize, in_flight: bool) {
        if !self.is_enough() && !self.is_hopeless() {
            let reaped = self.reaped.load(Ordering::Relaxed);
            self.reaped.store(reaped.saturating_add(count as u32), Ordering::Relaxed);
            self.slept.store(if in_flight { thread::sleeps() + 1 } else { 0 }, Ordering::Relaxed);
        }
    }
}

impl Default for Proof {
    fn default() -> Self {
        Self::new()
    }
}
