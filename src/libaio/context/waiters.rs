//! Threads that wait for events of a context: the fewest events that one of them waits for, and the word that they sleep on,
//! by a futex call or from within a ring.

#[cfg(not(loom))]
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
#[cfg(loom)]
use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// In [`Waiters::wake_at`]: no thread waits.
const NONE: u64 = u64::MAX;

/// The threads that wait for events of a context.
pub struct Waiters {
    /// At so many completed events a thread has what it waits for.
    wake_at: AtomicU64,
    /// What the threads sleep on. Changes with every wake.
    word: AtomicU32,
}

impl Waiters {
    /// No threads.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new() -> Self {
        Self { wake_at: AtomicU64::new(NONE), word: AtomicU32::new(0) }
    }

    /// The same; loom's atomics cannot be made by a constant.
    #[cfg(loom)]
    pub fn new() -> Self {
        Self { wake_at: AtomicU64::new(NONE), word: AtomicU32::new(0) }
    }

    /// Forgets all threads, of a context that is not in use.
    pub fn reset(&self) {
        self.wake_at.store(NONE, Ordering::Relaxed);
    }

    /// What the threads sleep on.
    pub fn word(&self) -> &AtomicU32 {
        &self.word
    }

    /// The caller is about to sleep on the word, which it has read before, until `wanted` events have completed. False: as
    /// many have.
    pub fn begin(&self, wanted: u64, completed: impl FnOnce() -> u64) -> bool {
        // Release pairs with the AcqRel in `wake_all`.
        self.wake_at.fetch_min(wanted, Ordering::Release);
        // SeqCst pairs with the fence before `have`: either `have` sees this thread, or this thread sees the events.
        fence(Ordering::SeqCst);
        completed() < wanted
    }

    /// Events have completed, as many as `completed` says, and after them the caller has made a SeqCst fence, which pairs with
    /// that in `begin`. True: a thread has what it waits for, and all that sleep on the word must be woken.
    pub fn have(&self, completed: impl FnOnce() -> u64) -> bool {
        let wake_at = self.wake_at.load(Ordering::Relaxed);
        let have = wake_at != NONE && completed() >= wake_at;
        if have {
            self.wake_all();
        }
        have
    }

    /// Changes the word, so that no thread falls asleep on it. All that sleep on it must be woken.
    pub fn wake_all(&self) {
        // AcqRel pairs with the Release in `begin`, and with the Acquire with which threads read the word.
        self.wake_at.swap(NONE, Ordering::AcqRel);
        self.word.fetch_add(1, Ordering::AcqRel);
    }
}
