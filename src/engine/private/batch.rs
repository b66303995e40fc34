//! Submitting to a private ring: any number of operations by one call of the kernel.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, Ordering, compiler_fence};

use io_uring::opcode;

use super::parts::Parts;
use super::ring::{Ring, WORD};
use super::watch::{self, Pace};
use crate::engine::operation::Operation;
use crate::engine::{entry, started};
use crate::host::{descriptors, futex};
use crate::stats;

/// Operations, and waits on words, that go to the kernel by one call.
pub struct Batch {
    ring: &'static Ring,
    queued: u32,
    words: u32,
}

impl Batch {
    /// An empty batch. The ring is busy with it until it is dropped.
    pub(super) const fn new(ring: &'static Ring) -> Self {
        Self { ring, queued: 0, words: 0 }
    }

    /// Adds an operation. False: there is no room, and it has to go another way.
    ///
    /// # Safety
    /// As for [`Engine::submit`](crate::engine::Engine::submit). Its order is [`Order::Free`](crate::engine::Order::Free) or
    /// `Counted`, it has no eventfd, and it ends by itself.
    #[inline]
    pub unsafe fn add(&mut self, mut operation: NonNull<Operation>) -> bool {
        let ring = self.ring;
        let Some(parts) = ring.parts() else { return false };
        if !ring.has_room(parts, self.queued) {
            ring.outgrow();
            return false;
        }
        // SAFETY: the caller's promise.
        let this = unsafe { operation.as_mut() };
        this.pin = None;
        this.fd_generation = descriptors::generation(this.fd);
        this.stamp = stats::stamp();
        let Some((index, slot)) = parts.free_slot() else { return false };
        this.place = index;
        let entry = entry::of(this, false).user_data(operation.as_ptr() as u64);
        // SAFETY: this is the ring's thread, within a batch.
        if !unsafe { parts.bare.push(&entry) } {
            parts.free(index);
            return false;
        }
        // SAFETY: the caller's promise.
        unsafe { slot.fill(operation) };
        self.queued += 1;
        if let Some(action) = this.kind.action() {
            stats::accepted_privately(this.face, action);
        }
        true
    }

    /// Lets the ring wait on `word` while it is `seen`, if it does not yet. False: there is no room.
    pub(super) fn watch(&mut self, word: &'static AtomicU32, seen: u32) -> bool {
        let ring = self.ring;
        if ring.watches(word) {
            return true;
        }
        let free = ring.armed.iter().position(|armed| armed.load(Ordering::Relaxed).is_null());
        let (Some(index), Some(parts)) = (free, ring.parts()) else { return false };
        if !ring.has_room(parts, self.queued) {
            return false;
        }
        let wait = opcode::FutexWait::new(word.as_ptr(), seen.into(), u32::MAX.into(), futex::PRIVATE_U32);
        ring.armed[index].store(ptr::from_ref(word).cast_mut(), Ordering::Relaxed);
        // SAFETY: this is the ring's thread, within a batch; the word outlives every ring.
        let pushed = unsafe { parts.bare.push(&wait.build().user_data((index as u64) << 1 | WORD)) };
        if pushed {
            self.words += 1;
        } else {
            ring.armed[index].store(ptr::null_mut(), Ordering::Relaxed);
        }
        pushed
    }

    /// Hands the batch to the kernel, which has the files when this returns, and finishes what has completed meanwhile. What
    /// the kernel does not take goes to the engine.
    #[inline]
    pub fn submit(self) {
        let ring = self.ring;
        self.enter();
        ring.collect();
    }

    /// The same, and finishes nothing.
    #[inline]
    pub(super) fn enter(mut self) {
        let ring = self.ring;
        let (queued, words) = (core::mem::take(&mut self.queued), core::mem::take(&mut self.words));
        let Some(parts) = ring.parts().filter(|_| queued + words > 0) else { return };
        if queued > 0 {
            // SeqCst pairs with the watch's, which must see it or be rung for.
            ring.in_flight.fetch_add(queued, Ordering::SeqCst);
            watch::begin(Pace::Rings);
        }
        let mut left = queued + words;
        while left > 0 {
            match parts.bare.submit(left) {
                Ok(taken) if taken > 0 => left -= taken.min(left),
                refused => {
                    if let Err(errno) = refused {
                        ring.note(errno);
                    }
                    break;
                }
            }
        }
        if queued > 0 {
            ring.note_visit();
        }
        if left > 0 {
            ring.give_to_engine(parts);
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        compiler_fence(Ordering::SeqCst);
        self.ring.busy.store(false, Ordering::Relaxed);
    }
}

impl Ring {
    #[cold]
    fn give_to_engine(&self, parts: &Parts) {
        let give = |data: u64| {
            if data & WORD != 0 {
                self.armed[(data >> 1) as usize].store(ptr::null_mut(), Ordering::Relaxed);
                return;
            }
            self.in_flight.fetch_sub(1, Ordering::Release);
            // SAFETY: a batch begins with an empty queue, so what the kernel has not taken is of this one.
            let operation = unsafe { parts.take_back(data) };
            if let (Some(operation), Some(engine)) = (operation, started()) {
                // SAFETY: as whoever added it promised.
                unsafe { engine.submit(operation) };
            }
        };
        self.strayed.store(true, Ordering::Relaxed);
        // SAFETY: this is the ring's thread, within a batch.
        unsafe { parts.bare.retract(give) };
        if let Some(engine) = started() {
            engine.settle();
        }
    }
}
