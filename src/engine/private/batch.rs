//! Submitting to a private ring: any number of operations by one call of the kernel.

use core::ptr::NonNull;
use core::sync::atomic::{Ordering, compiler_fence};

use super::parts::Parts;
use super::ring::Ring;
use super::watch;
use crate::engine::operation::Operation;
use crate::engine::{entry, started};
use crate::host::descriptors;
use crate::stats;

/// Operations that go to the kernel by one call.
pub struct Batch {
    ring: &'static Ring,
    queued: u32,
}

impl Batch {
    /// An empty batch. The ring is busy with it until it is dropped.
    pub(super) const fn new(ring: &'static Ring) -> Self {
        Self { ring, queued: 0 }
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

    /// Hands the batch to the kernel, which has the files when this returns, and finishes what has completed meanwhile. What
    /// the kernel does not take goes to the engine.
    #[inline]
    pub fn submit(mut self) {
        let ring = self.ring;
        let queued = core::mem::take(&mut self.queued);
        let Some(parts) = ring.parts() else { return };
        if queued > 0 {
            // SeqCst pairs with the watch's, which must see it or be rung for.
            ring.in_flight.fetch_add(queued, Ordering::SeqCst);
            watch::begin();
            let mut left = queued;
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
            ring.note_visit();
            if left > 0 {
                ring.give_to_engine(parts);
            }
        }
        drop(self);
        ring.collect();
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
