//! How completions get into a context's ring.
//!
//! Producers take the ring by a word and never wait for one another: who finds it taken leaves his request in the backlog, and
//! who has it writes the backlog too before he goes.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

use super::Context;
use crate::engine::{Kind, Operation, inbox};
use crate::host::futex;
use crate::libaio::event_ring::Event;
use crate::libaio::request::Request;
use crate::libaio::submit;

/// The ring is being written by somebody.
const TAKEN: u32 = 1;
/// There is a backlog for him.
const MORE: u32 = 2;

/// What producers share.
pub(super) struct Producers {
    state: AtomicU32,
    /// Where the next event goes. Written by whoever has the ring.
    pub(super) tail: AtomicU32,
    /// Events written so far.
    completed: AtomicU64,
    backlog: AtomicPtr<Request>,
}

impl Producers {
    /// Nothing was written.
    pub(super) const fn new() -> Self {
        Self {
            state: AtomicU32::new(0),
            tail: AtomicU32::new(0),
            completed: AtomicU64::new(0),
            backlog: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The same, of a context that nobody uses.
    pub(super) fn reset(&self) {
        self.tail.store(0, Ordering::Relaxed);
        self.completed.store(0, Ordering::Relaxed);
    }
}

impl Context {
    /// Events written so far.
    pub fn completed(&self) -> u64 {
        // Acquire pairs with the Release of `publish`.
        self.producers.0.completed.load(Ordering::Acquire)
    }

    /// Writes the event of a request that never had a [`Request`]. True: sleepers must be [woken](Context::word).
    #[inline]
    pub fn complete(&self, event: &Event) -> bool {
        loop {
            // Acquire pairs with the Release of `give_up`: what the last producer wrote is seen.
            if self.producers.0.state.compare_exchange(0, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                return self.write(event);
            }
            if let Some(mut request) = self.pool.take() {
                // SAFETY: taken from the pool, and ours.
                let this = unsafe { request.as_mut() };
                this.note(event);
                this.result = event.result as i32;
                this.operation.write(Operation::new(Kind::Chore, -1, submit::finish));
                let must_wake = self.leave_in_backlog(request);
                // What was done at once is in the ring when io_submit returns, if that is in our power: he who has the
                // ring needs a moment, unless this is a signal handler that interrupted him.
                for _ in 0..100 {
                    if self.producers.0.state.load(Ordering::Acquire) == 0 {
                        break;
                    }
                    futex::linger();
                }
                return must_wake;
            }
            futex::linger();
        }
    }

    /// Writes the event of a request and takes the request back, to be the `first` that is taken again or not. True: sleepers
    /// must be [woken](Context::word).
    ///
    /// # Safety
    /// The request is the caller's, from this context's pool.
    pub unsafe fn complete_request(&self, request: NonNull<Request>, first: bool) -> bool {
        if self.producers.0.state.compare_exchange(0, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return self.leave_in_backlog(request);
        }
        // SAFETY: the caller's promise.
        let event = unsafe { request.as_ref() }.event();
        if first {
            self.pool.put_first(request);
        } else {
            self.pool.put(request);
        }
        self.write(&event)
    }

    /// Whether somebody is writing events, perhaps out of the backlog.
    pub fn is_being_written(&self) -> bool {
        self.producers.0.state.load(Ordering::Acquire) != 0
    }

    fn write(&self, event: &Event) -> bool {
        let tail = self.append(self.producers.0.tail.load(Ordering::Relaxed), event);
        self.publish(tail, 1);
        self.give_up()
    }

    fn append(&self, tail: u32, event: &Event) -> u32 {
        let ring = self.ring();
        ring.write(tail, event);
        ring.after(tail)
    }

    /// Shows what was appended. The count comes last: who has seen it may take the ring apart.
    fn publish(&self, tail: u32, count: u64) {
        let line = &self.producers.0;
        self.ring().set_tail(tail);
        // Release pairs with the Acquire of reapers, who read our copy of the tail.
        line.tail.store(tail, Ordering::Release);
        let completed = line.completed.load(Ordering::Relaxed) + count;
        line.completed.store(completed, Ordering::Release);
    }

    /// Lets go of the ring. True: somebody who sleeps has what he waits for, and is to be woken.
    fn give_up(&self) -> bool {
        let line = &self.producers.0;
        // Release: the next producer sees what we wrote. Acquire on failure: we see the backlog.
        while line.state.compare_exchange(TAKEN, 0, Ordering::Release, Ordering::Acquire).is_err() {
            line.state.swap(TAKEN, Ordering::AcqRel);
            self.write_backlog();
        }
        let written = || line.completed.load(Ordering::Relaxed);
        self.sleepers.0.have(written) || (self.habit.0.keeps_another() && self.sleepers.0.rouse())
    }

    fn write_backlog(&self) {
        let line = &self.producers.0;
        let newest = line.backlog.swap(ptr::null_mut(), Ordering::AcqRel).cast::<Operation>();
        // SAFETY: requests in the backlog are whole, and those taken off are ours. A request begins with its operation.
        let mut next = unsafe { inbox::oldest_first(newest) };
        let (mut tail, mut count) = (line.tail.load(Ordering::Relaxed), 0);
        while let Some(operation) = next {
            let request = operation.cast::<Request>();
            // SAFETY: as above.
            next = unsafe { inbox::next(operation) };
            // SAFETY: as above.
            let event = unsafe { request.as_ref() }.event();
            self.pool.put(request);
            tail = self.append(tail, &event);
            count += 1;
        }
        if count > 0 {
            self.publish(tail, count);
        }
    }

    fn leave_in_backlog(&self, request: NonNull<Request>) -> bool {
        let line = &self.producers.0;
        let mut newest = line.backlog.load(Ordering::Relaxed);
        loop {
            // SAFETY: the request is the caller's until the exchange.
            unsafe { request.as_ref().behind() }.store(newest.cast(), Ordering::Relaxed);
            match line.backlog.compare_exchange_weak(newest, request.as_ptr(), Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => newest = now,
            }
        }
        // Release: he who has the ring finds the backlog when he sees the mark. Acquire: or we have the ring.
        if line.state.fetch_or(TAKEN | MORE, Ordering::AcqRel) & TAKEN != 0 {
            return false;
        }
        line.state.swap(TAKEN, Ordering::AcqRel);
        self.write_backlog();
        self.give_up()
    }
}
