//! A first-in first-out queue of numbered entries, for any number of threads at both ends: that of Michael and Scott ("Simple,
//! fast, and practical non-blocking and blocking concurrent queue algorithms", PODC 1996).
//!
//! Entries are linked at the tail by one exchange and taken at the head by another, and any thread can finish what another
//! began. No thread waits for another in it. A thread that leaves it by a jump, or is stopped in it, costs no more than the
//! one entry that it had in hand. Entries are never freed, so a thread that is late reads an old link, and its exchange
//! fails: heads, tails and links count their changes.

#[cfg(not(loom))]
use core::sync::atomic::{AtomicU64, Ordering};
#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, Ordering};

/// Where the entries have their links: words that are the queue's alone, and 0 at first.
pub trait Links {
    /// The link of an entry; none where no entry has the number.
    fn link(&self, number: u32) -> Option<&AtomicU64>;
}

/// The queue. It always holds one entry more than it has: the one before the first.
pub struct NumberQueue {
    /// The entry before the first: in the low half its number plus 1, in the high half a count of changes.
    head: AtomicU64,
    /// The last entry, or one before it.
    tail: AtomicU64,
}

/// A word after one more change.
const fn changed(word: u64, to: u64) -> u64 {
    ((word >> 32).wrapping_add(1) << 32) | to & 0xffff_ffff
}

/// The entry that a word names, if it names one.
const fn number_in(word: u64) -> Option<u32> {
    (word as u32).checked_sub(1)
}

impl NumberQueue {
    /// An empty queue. `before` is an entry that it may keep.
    #[must_use]
    pub fn new(before: u32) -> Self {
        let word = u64::from(before) + 1;
        Self { head: AtomicU64::new(word), tail: AtomicU64::new(word) }
    }

    /// Puts an entry at the end that is not in the queue.
    pub fn push(&self, links: &impl Links, number: u32) {
        let Some(own) = links.link(number) else { return };
        let new = u64::from(number) + 1;
        // Relaxed: published by the exchange that links it.
        own.store(changed(own.load(Ordering::Relaxed), 0), Ordering::Relaxed);
        loop {
            // Acquire here and below pairs with the Release of the exchanges.
            let tail = self.tail.load(Ordering::Acquire);
            let Some(last) = number_in(tail).and_then(|last| links.link(last)) else { return };
            let next = last.load(Ordering::Acquire);
            if self.tail.load(Ordering::Acquire) != tail {
                continue;
            }
            if number_in(next).is_some() {
                // Another thread has linked its entry: the tail goes on.
                let _ = self.tail.compare_exchange(tail, changed(tail, next), Ordering::AcqRel, Ordering::Relaxed);
            } else if last.compare_exchange(next, changed(next, new), Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                let _ = self.tail.compare_exchange(tail, changed(tail, new), Ordering::AcqRel, Ordering::Relaxed);
                return;
            }
        }
    }

    /// Takes the first entry, if `read` gives something for it. Returns that, and the number of an entry that is the caller's
    /// now: not the one that was read, which the queue keeps until the next is taken.
    ///
    /// `read` may meet an entry that another thread has just taken, and that is in use again. Then what it gives is not
    /// returned, but nothing taken either if it gives nothing.
    pub fn take_if<T>(&self, links: &impl Links, mut read: impl FnMut(u32) -> Option<T>) -> Option<(T, u32)> {
        loop {
            let head = self.head.load(Ordering::Acquire);
            let tail = self.tail.load(Ordering::Acquire);
            let before = number_in(head)?;
            let next = links.link(before)?.load(Ordering::Acquire);
            if self.head.load(Ordering::Acquire) != head {
                continue;
            }
            let first = number_in(next)?;
            if head as u32 == tail as u32 {
                let _ = self.tail.compare_exchange(tail, changed(tail, next), Ordering::AcqRel, Ordering::Relaxed);
                continue;
            }
            let taken = read(first)?;
            if self.head.compare_exchange(head, changed(head, next), Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return Some((taken, before));
            }
        }
    }
}
