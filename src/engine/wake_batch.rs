//! What a batch of completions leaves to be done at its end: waiters to wake and eventfds to signal, each once.

use core::ffi::c_int;
use core::mem::{self, MaybeUninit};
use core::sync::atomic::AtomicU32;

use super::fixed_files::FixedFile;
use crate::host::{descriptors, futex, kernel};

/// Waiters, and eventfds, in one batch.
const CAPACITY: usize = 64;

/// Which eventfd of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eventfd {
    /// The one that is told of this operation's end.
    Own,
    /// The one that is told of the end of the list that it belongs to, if it is the last.
    List,
}

/// Collected while completions are delivered, done at the end of the batch.
pub struct WakeBatch {
    /// The first `sleeping` are set.
    waiters: [MaybeUninit<(*const AtomicU32, u32)>; CAPACITY],
    sleeping: usize,
    /// The first `signalled` are set.
    eventfds: [MaybeUninit<(FixedFile, u32)>; CAPACITY],
    signalled: usize,
    /// The eventfds of the operation that is being finished, if it has any.
    current: [Option<FixedFile>; 2],
    /// Those of them that no device holds.
    unheld: [Number; 2],
}

/// A descriptor of the program's, and its [generation](descriptors::generation). -1: none.
pub type Number = (c_int, u32);

/// None.
pub const NO_NUMBERS: [Number; 2] = [(-1, 0); 2];

impl WakeBatch {
    /// Nothing to do yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            waiters: [const { MaybeUninit::uninit() }; CAPACITY],
            sleeping: 0,
            eventfds: [const { MaybeUninit::uninit() }; CAPACITY],
            signalled: 0,
            current: [None; 2],
            unheld: NO_NUMBERS,
        }
    }

    /// Wakes up to `count` threads that sleep on `word`, at the end of the batch. The memory may be gone by then.
    pub fn wake(&mut self, word: *const AtomicU32, count: u32) {
        for sleeper in &mut self.waiters[..self.sleeping] {
            // SAFETY: set.
            let sleeper = unsafe { sleeper.assume_init_mut() };
            if sleeper.0 == word {
                sleeper.1 = sleeper.1.saturating_add(count);
                return;
            }
        }
        if self.sleeping == CAPACITY {
            self.wake_now();
        }
        self.waiters[self.sleeping].write((word, count));
        self.sleeping += 1;
    }

    /// Wakes all that were collected, now.
    pub fn wake_now(&mut self) {
        for sleeper in &self.waiters[..self.sleeping] {
            // SAFETY: set.
            let (word, count) = unsafe { sleeper.assume_init() };
            futex::wake(word, count);
        }
        self.sleeping = 0;
    }

    /// Adds one to the count of an eventfd of the current operation's, at the end of the batch. A face calls it from its
    /// [`Finish`](super::Finish), after the completion is where the program will look for it.
    pub fn signal_eventfd(&mut self, which: Eventfd) {
        let Some(file) = self.current[which as usize].take() else {
            let (fd, generation) = mem::replace(&mut self.unheld[which as usize], (-1, 0));
            if fd >= 0 {
                descriptors::while_open(fd, generation, || kernel::add_to_eventfd(fd, 1));
            }
            return;
        };
        for eventfd in &mut self.eventfds[..self.signalled] {
            // SAFETY: set.
            let eventfd = unsafe { eventfd.assume_init_mut() };
            if eventfd.0 == file {
                eventfd.1 += 1;
                return;
            }
        }
        debug_assert!(self.signalled < CAPACITY, "the engine flushes before the list is full");
        if self.signalled < CAPACITY {
            self.eventfds[self.signalled].write((file, 1));
            self.signalled += 1;
        }
    }

    /// An operation is being finished, of whose eventfds those are held, or have these numbers.
    pub(super) fn begin(&mut self, eventfds: [Option<FixedFile>; 2], unheld: [Number; 2]) {
        (self.current, self.unheld) = (eventfds, unheld);
    }

    /// The current operation is finished. Those of its eventfds that the face did not signal.
    pub(super) fn end(&mut self) -> [Option<FixedFile>; 2] {
        self.unheld = NO_NUMBERS;
        mem::take(&mut self.current)
    }

    /// Does `work`, which finishes an operation of which no device holds anything; another may be current.
    pub(super) fn with_unheld(&mut self, eventfds: [Number; 2], work: impl FnOnce(&mut Self)) {
        let before = (mem::take(&mut self.current), mem::replace(&mut self.unheld, eventfds));
        work(self);
        (self.current, self.unheld) = before;
    }

    /// Whether the eventfds must be signalled before another operation with eventfds is finished.
    pub(super) const fn is_full(&self) -> bool {
        self.signalled + 2 > CAPACITY
    }

    pub(super) fn take_eventfds(&mut self, mut signal: impl FnMut(FixedFile, u32)) {
        for eventfd in &self.eventfds[..self.signalled] {
            // SAFETY: set.
            let (file, count) = unsafe { eventfd.assume_init() };
            signal(file, count);
        }
        self.signalled = 0;
    }
}

impl Default for WakeBatch {
    fn default() -> Self {
        Self::new()
    }
}
