//! The calls that are in progress on a context, so that `io_destroy` can wait until there are none.
//!
//! A call stores its thread pointer and the address of its stack in a slot. A call that a signal handler left by
//! `siglongjmp` leaves its slot filled; the next call of that thread finds that the stack has shrunk since, and takes the
//! slot over. A slot that no call comes back to costs `io_destroy` a wait that has an end, and nothing else.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use core::time::Duration;

use super::abandonable_lock::has_left;
use crate::host::futex::{self, Deadline};
use crate::host::{hash, thread};

/// Threads that can be in calls on one context at the same time with a slot of their own; more share a count.
const SLOTS: usize = 8;

/// How long `io_destroy` waits for calls, which take microseconds unless their thread is stopped.
const CALL_WAIT_MS: u64 = 2_000;

/// How often `io_destroy` looks, for a call that ends without seeing that it is awaited.
const LOOK: Duration = Duration::from_millis(1);

struct Slot {
    thread: AtomicUsize,
    /// [`NO_STACK`] while the slot is free, so that a handler that comes before the stack is noted sees a call below which
    /// it is. Relaxed throughout: only the thread in the slot reads and writes it.
    stack: AtomicUsize,
}

const NO_STACK: usize = usize::MAX;

/// The calls on a context.
pub struct Users {
    slots: [Slot; SLOTS],
    /// Calls that found no slot.
    others: AtomicU32,
    /// Not 0 while `io_destroy` waits, and changes with every call that ends.
    awaited: AtomicU32,
}

/// Where a call is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// In this slot.
    Slot(usize),
    /// In the count.
    Counted,
    /// Not at all: it is in a signal handler that interrupted a call which is noted.
    Nested,
}

impl Users {
    /// No calls.
    pub const fn new() -> Self {
        Self {
            slots: [const { Slot { thread: AtomicUsize::new(0), stack: AtomicUsize::new(NO_STACK) } }; SLOTS],
            others: AtomicU32::new(0),
            awaited: AtomicU32::new(0),
        }
    }

    /// A call begins.
    #[inline]
    pub fn enter(&self) -> Entry {
        let here = 0u8;
        let stack = (&raw const here).addr();
        let me = thread::pointer();
        let first = hash::spread(me >> 6);
        for probe in 0..SLOTS {
            let index = first.wrapping_add(probe) % SLOTS;
            let slot = &self.slots[index];
            // SeqCst, here and for `others`, pairs with `Context::mark_destroyed` and `is_alone`: either the destroyer sees
            // this call, or this call sees that the context is being destroyed.
            match slot.thread.compare_exchange(0, me, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => {
                    slot.stack.store(stack, Ordering::Relaxed);
                    return Entry::Slot(index);
                }
                Err(owner) if owner == me => {
                    let was_left = has_left(slot.stack.load(Ordering::Relaxed), stack);
                    if was_left {
                        slot.stack.store(stack, Ordering::Relaxed);
                        return Entry::Slot(index);
                    }
                    return Entry::Nested;
                }
                Err(_) => {}
            }
        }
        self.others.fetch_add(1, Ordering::SeqCst);
        Entry::Counted
    }

    /// A call ends.
    #[inline]
    pub fn leave(&self, entry: Entry) {
        // Release pairs with the SeqCst loads in `is_alone`: what the call did with the context is done.
        match entry {
            Entry::Slot(index) => {
                self.slots[index].stack.store(NO_STACK, Ordering::Relaxed);
                self.slots[index].thread.store(0, Ordering::Release);
            }
            Entry::Counted => {
                self.others.fetch_sub(1, Ordering::Release);
            }
            Entry::Nested => return,
        }
        // Relaxed: a call that misses it is found by the next look of `await_others`.
        if self.awaited.load(Ordering::Relaxed) != 0 {
            // Release as above, for a waiter that has seen the change.
            self.awaited.fetch_add(1, Ordering::Release);
            futex::wake_all(&raw const self.awaited);
        }
    }

    /// Whether no other thread is in a call.
    pub fn is_alone(&self) -> bool {
        let me = thread::pointer();
        // SeqCst pairs with `enter` and `leave`.
        let is_other = |slot: &Slot| ![0, me].contains(&slot.thread.load(Ordering::SeqCst));
        self.others.load(Ordering::SeqCst) == 0 && !self.slots.iter().any(is_other)
    }

    /// Whether no call is noted but that of `entry`, which is noted.
    pub fn is_only(&self, entry: Entry) -> bool {
        let Entry::Slot(own) = entry else { return false };
        let is_free = |(index, slot): (usize, &Slot)| index == own || slot.thread.load(Ordering::SeqCst) == 0;
        self.others.load(Ordering::SeqCst) == 0 && self.slots.iter().enumerate().all(is_free)
    }

    /// Waits until only the calling thread is in a call. False: one does not end. It was left with its thread, or else it may
    /// still touch everything.
    pub fn await_others(&self) -> bool {
        let deadline = Deadline::after(Duration::from_millis(CALL_WAIT_MS));
        loop {
            // SeqCst orders it before the loads in `is_alone`.
            let seen = self.awaited.fetch_add(1, Ordering::SeqCst).wrapping_add(1);
            let is_alone = self.is_alone();
            if is_alone || deadline.is_over() {
                self.awaited.store(0, Ordering::Relaxed);
                return is_alone;
            }
            let _ = futex::wait(&self.awaited, seen, deadline.sooner(Deadline::after(LOOK)));
        }
    }

    /// Forgets all calls, of a context that is not in use.
    pub fn reset(&self) {
        for slot in &self.slots {
            slot.stack.store(NO_STACK, Ordering::Relaxed);
            slot.thread.store(0, Ordering::Relaxed);
        }
        self.others.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicBool, Ordering};

    use super::{Entry, Users};

    #[inline(never)]
    fn deeper(users: &Users) -> Entry {
        let room = core::hint::black_box([0u8; 4096]);
        let entry = users.enter();
        core::hint::black_box(room);
        entry
    }

    #[test]
    #[cfg_attr(miri, ignore = "it goes by positions in a stack, which Miri has not")]
    fn a_call_that_was_left_is_taken_over() {
        let users = Users::new();
        let first = deeper(&users);
        assert!(matches!(first, Entry::Slot(_)));
        let second = users.enter();
        assert_eq!(second, first);
        assert_eq!(deeper(&users), Entry::Nested);
        assert!(users.is_only(second) && !users.is_only(Entry::Nested));
        users.leave(second);
        assert!(users.is_alone() && users.await_others());
    }

    #[test]
    fn others_are_waited_for() {
        let users = Users::new();
        let is_seen = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let entry = users.enter();
                while !is_seen.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                // So that it is mostly still there when it is waited for.
                std::thread::sleep(std::time::Duration::from_millis(20));
                users.leave(entry);
            });
            while users.is_alone() {
                std::thread::yield_now();
            }
            is_seen.store(true, Ordering::Relaxed);
            assert!(users.await_others());
        });
    }
}
