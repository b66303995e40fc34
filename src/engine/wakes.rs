//! What a batch of completions leaves to be done at its end: sleepers to wake and eventfds to tell, each once.

use core::mem::MaybeUninit;
use core::sync::atomic::AtomicU32;

use super::pins::Pin;
use crate::host::futex;

const MOST: usize = 64;

/// Collected while completions are delivered, done when the batch is through.
pub struct Wakes {
    /// The first `sleeping` are set.
    sleepers: [MaybeUninit<(*const AtomicU32, u32)>; MOST],
    sleeping: usize,
    /// The first `ringing` are set.
    bells: [MaybeUninit<(u32, u32)>; MOST],
    ringing: usize,
    /// The eventfd of the operation that is being finished, if it has one.
    current: Option<Pin>,
}

impl Wakes {
    /// Nothing to do yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            sleepers: [const { MaybeUninit::uninit() }; MOST],
            sleeping: 0,
            bells: [const { MaybeUninit::uninit() }; MOST],
            ringing: 0,
            current: None,
        }
    }

    /// Wakes up to `count` of those who sleep on `word` at the end of the batch. The memory may be gone by then.
    pub fn wake(&mut self, word: *const AtomicU32, count: u32) {
        for sleeper in &mut self.sleepers[..self.sleeping] {
            // SAFETY: set.
            let sleeper = unsafe { sleeper.assume_init_mut() };
            if sleeper.0 == word {
                sleeper.1 = sleeper.1.saturating_add(count);
                return;
            }
        }
        if self.sleeping == MOST {
            self.wake_now();
        }
        self.sleepers[self.sleeping].write((word, count));
        self.sleeping += 1;
    }

    /// Wakes all who were collected, now.
    pub fn wake_now(&mut self) {
        for sleeper in &self.sleepers[..self.sleeping] {
            // SAFETY: set.
            let (word, count) = unsafe { sleeper.assume_init() };
            futex::wake(word, count);
        }
        self.sleeping = 0;
    }

    /// Adds one to the count of the current operation's eventfd, at the end of the batch. A face calls it from its
    /// [`Finish`](super::Finish), after the completion is where the program will look for it.
    pub fn ring(&mut self) {
        let Some(Pin(slot)) = self.current.take() else { return };
        for bell in &mut self.bells[..self.ringing] {
            // SAFETY: set.
            let bell = unsafe { bell.assume_init_mut() };
            if bell.0 == slot {
                bell.1 += 1;
                return;
            }
        }
        debug_assert!(self.ringing < MOST, "the engine flushes before the list is full");
        if self.ringing < MOST {
            self.bells[self.ringing].write((slot, 1));
            self.ringing += 1;
        }
    }

    pub(super) fn begin(&mut self, bell: Option<Pin>) {
        self.current = bell;
    }

    /// The current operation is finished. Its eventfd, if the face did not ring it.
    pub(super) fn end(&mut self) -> Option<Pin> {
        self.current.take()
    }

    /// Whether the bells must be rung before another operation with an eventfd is finished.
    pub(super) const fn is_full(&self) -> bool {
        self.ringing == MOST
    }

    pub(super) fn take_bells(&mut self, mut ring: impl FnMut(Pin, u32)) {
        for bell in &self.bells[..self.ringing] {
            // SAFETY: set.
            let (slot, count) = unsafe { bell.assume_init() };
            ring(Pin(slot), count);
        }
        self.ringing = 0;
    }
}

impl Default for Wakes {
    fn default() -> Self {
        Self::new()
    }
}
