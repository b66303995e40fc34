//! A lock for short critical sections: a futex word, no poisoning, nothing allocated.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering};

use super::futex::{self, Deadline};

const FREE: u32 = 0;
const HELD: u32 = 1;
/// Held, and a thread may sleep until it is free.
const WANTED: u32 = 2;

/// A value that one thread at a time may touch.
pub struct Lock<T> {
    word: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through a guard alone, and there is one guard at a time.
unsafe impl<T: Send> Sync for Lock<T> {}

/// The right to touch the value.
pub struct Guard<'a, T> {
    lock: &'a Lock<T>,
}

impl<T> Lock<T> {
    /// A lock that is free.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self { word: AtomicU32::new(FREE), value: UnsafeCell::new(value) }
    }

    /// Takes the lock if it is free.
    #[must_use]
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        // Acquire, here and below, pairs with the Release of the guard's end.
        let taken = self.word.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok();
        taken.then(|| Guard { lock: self })
    }

    /// Waits until the lock is free or the deadline has come, and takes it if it is free.
    #[must_use]
    pub fn lock_until(&self, deadline: Deadline) -> Option<Guard<'_, T>> {
        if let Some(guard) = self.try_lock() {
            return Some(guard);
        }
        while self.word.swap(WANTED, Ordering::Acquire) != FREE {
            if deadline.is_over() {
                // The word says that a thread may sleep: the holder wakes one more than there is.
                return None;
            }
            let _ = futex::wait(&self.word, WANTED, deadline);
        }
        Some(Guard { lock: self })
    }

    /// Waits until the lock is free, and takes it.
    pub fn lock(&self) -> Guard<'_, T> {
        loop {
            if let Some(guard) = self.lock_until(Deadline::Never) {
                return guard;
            }
        }
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the guard's holder is alone with the value.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        if self.lock.word.swap(FREE, Ordering::Release) == WANTED {
            futex::wake(&raw const self.lock.word, 1);
        }
    }
}
