//! Those who sleep until there have been so many events in a context: the least that one of them waits for, and the word that
//! they sleep on, by a futex call or from within a ring.

#[cfg(not(loom))]
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
#[cfg(loom)]
use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// Nobody sleeps.
const NOBODY: u64 = u64::MAX;

/// Who sleeps in a context.
pub struct Waiters {
    wake_at: AtomicU64,
    /// What they sleep on. Changes with every wake.
    word: AtomicU32,
}

impl Waiters {
    /// Nobody.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new() -> Self {
        Self { wake_at: AtomicU64::new(NOBODY), word: AtomicU32::new(0) }
    }

    /// The same; loom's atomics cannot be made by a constant.
    #[cfg(loom)]
    pub fn new() -> Self {
        Self { wake_at: AtomicU64::new(NOBODY), word: AtomicU32::new(0) }
    }

    /// Nobody does, in a context that nobody uses.
    pub fn reset(&self) {
        self.wake_at.store(NOBODY, Ordering::Relaxed);
    }

    /// What they sleep on.
    pub fn word(&self) -> &AtomicU32 {
        &self.word
    }

    /// The caller is about to sleep until there have been `wanted` events, on the word, which he has read before. False: there
    /// have been as many.
    pub fn begin(&self, wanted: u64, completed: impl FnOnce() -> u64) -> bool {
        // Release pairs with the Acquire of `end`.
        self.wake_at.fetch_min(wanted, Ordering::Release);
        // Pairs with the fence of `have`: either we are seen, or we see the events.
        fence(Ordering::SeqCst);
        completed() < wanted
    }

    /// There have been as many events as `completed` says. True: somebody who sleeps has what he waits for, and all who sleep
    /// are to be woken.
    pub fn have(&self, completed: impl FnOnce() -> u64) -> bool {
        fence(Ordering::SeqCst);
        let wake_at = self.wake_at.load(Ordering::Relaxed);
        wake_at != NOBODY && completed() >= wake_at && self.wake_all()
    }

    /// Changes the word, so that nobody falls asleep on it; all who sleep must be woken.
    pub fn wake_all(&self) -> bool {
        self.wake_at.swap(NOBODY, Ordering::AcqRel);
        self.word.fetch_add(1, Ordering::AcqRel);
        true
    }
}
