//! How completions get into a context's ring.
//!
//! One thread at a time writes, under a lock whose holder may leave at any point by a jump ([`AbandonableLock`]). Nobody
//! waits for it: who finds it taken leaves its request in the backlog, and whoever has it writes the backlog too before it
//! goes. All that says how far the ring is written is one word, `position`, so that a successor finds either nothing of what
//! its predecessor was writing, or all of it.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering, fence};

use super::Context;
use crate::engine::{Kind, Operation};
use crate::host::futex;
use crate::libaio::abandonable_lock::AbandonableLock;
use crate::libaio::event_ring::Event;
use crate::libaio::request::Request;
use crate::libaio::submit;

/// Looks at a lock in another's hands, 50 µs apart, before an event of a call that ends is left in the backlog.
const BACKLOG_LOOKS: u32 = 100;

/// What writers share.
pub(super) struct EventWriter {
    lock: AbandonableLock,
    /// Where the next event goes, in the lower half; how often the ring was gone round, in the upper.
    position: AtomicU64,
    /// Requests of the engines whose events were written.
    returned: AtomicU64,
    /// The newest first, linked through their operations.
    backlog: AtomicPtr<Request>,
    /// The request of the backlog whose event is being written, or was when a holder left.
    writing: AtomicPtr<Request>,
}

/// [`Operation::offset`] of a request in the backlog whose event was not written yet, or was; in between, the position where
/// it is being written.
const UNWRITTEN: i64 = -1;
const WRITTEN: i64 = -2;

impl EventWriter {
    /// Nothing was written.
    pub(super) const fn new() -> Self {
        Self {
            lock: AbandonableLock::new(),
            position: AtomicU64::new(0),
            returned: AtomicU64::new(0),
            backlog: AtomicPtr::new(ptr::null_mut()),
            writing: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The same, of a context that nobody uses.
    pub(super) fn reset(&self) {
        self.position.store(0, Ordering::Relaxed);
        self.returned.store(0, Ordering::Relaxed);
        self.backlog.store(ptr::null_mut(), Ordering::Relaxed);
        self.writing.store(ptr::null_mut(), Ordering::Relaxed);
    }

    /// Takes the lock, if nobody has it.
    #[inline]
    fn try_take(&self) -> bool {
        let taken = self.lock.try_take().is_ok();
        if taken && !self.writing.load(Ordering::Relaxed).is_null() {
            self.take_over();
        }
        taken
    }

    /// The last holder left while it wrote the backlog: finds out how far it came.
    #[cold]
    fn take_over(&self) {
        let Some(request) = NonNull::new(self.writing.load(Ordering::Relaxed)) else { return };
        let operation = request.cast::<Operation>().as_ptr();
        // SAFETY: it is in the backlog, from which only who has the lock takes anything; the engine is done with it.
        unsafe {
            let noted = (*operation).offset;
            if noted >= 0 {
                let is_written = noted != self.position.load(Ordering::Relaxed) as i64;
                (*operation).offset = if is_written { WRITTEN } else { UNWRITTEN };
            }
        }
        self.writing.store(ptr::null_mut(), Ordering::Relaxed);
    }

    /// Where the next event goes.
    #[inline]
    pub(super) fn tail(&self) -> u32 {
        // Acquire pairs with the Release of `publish`.
        self.position.load(Ordering::Acquire) as u32
    }

    /// Requests of the engines whose events were written.
    #[inline]
    pub(super) fn returned(&self) -> u64 {
        self.returned.load(Ordering::Acquire)
    }
}

impl Context {
    /// Events written so far.
    #[inline]
    pub fn completed(&self) -> u64 {
        let position = self.writer.0.position.load(Ordering::Acquire);
        (position >> 32) * u64::from(self.ring().nr()) + (position & 0xffff_ffff)
    }

    /// Writes the event of a request that never had a [`Request`]. True: sleepers must be [woken](Context::word).
    #[inline]
    pub fn complete(&self, event: &Event) -> bool {
        loop {
            if self.writer.0.try_take() {
                let written = self.write(event);
                let wakes = self.give_up();
                if written {
                    return wakes;
                }
            }
            if let Some(mut request) = self.pool.take() {
                // SAFETY: taken from the pool, and ours.
                let this = unsafe { request.as_mut() };
                this.note(event);
                this.result = event.result as i32;
                this.operation.write(Operation::new(Kind::Nop, -1, submit::finish));
                let wakes = self.leave_in_backlog(request);
                // What was done at once is in the ring when io_submit returns, if that is in our power: the writer needs a
                // moment, unless this is a signal handler that interrupted it.
                for _ in 0..BACKLOG_LOOKS {
                    if self.writer.0.backlog.load(Ordering::Acquire).is_null() {
                        break;
                    }
                    futex::sleep_50us();
                }
                return wakes;
            }
            futex::sleep_50us();
        }
    }

    /// Writes the event of a request and takes the request back. True: sleepers must be [woken](Context::word).
    ///
    /// # Safety
    /// The request is the caller's, from this context's pool.
    pub unsafe fn complete_request(&self, request: NonNull<Request>) -> bool {
        if !self.writer.0.try_take() {
            return self.leave_in_backlog(request);
        }
        // SAFETY: the caller's promise.
        let (event, is_counted) = unsafe { (request.as_ref().event(), request.as_ref().is_counted()) };
        if !self.write(&event) {
            let _ = self.give_up();
            return self.leave_in_backlog(request);
        }
        if is_counted {
            self.count_returned();
        }
        self.pool.put(request);
        self.give_up()
    }

    fn count_returned(&self) {
        // Under the lock: nobody else adds.
        let returned = &self.writer.0.returned;
        returned.store(returned.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// Whether completions wait for room in the ring, or for a writer.
    pub fn has_backlog(&self) -> bool {
        !self.writer.0.backlog.load(Ordering::Relaxed).is_null()
    }

    /// Writes what is in the backlog, if nobody else does. True: sleepers must be [woken](Context::word).
    #[cold]
    pub fn write_backlog(&self) -> bool {
        self.writer.0.try_take() && self.give_up()
    }

    /// Writes and shows an event. False: the ring is full. Under the lock.
    #[inline]
    fn write(&self, event: &Event) -> bool {
        let ring = self.ring();
        let position = self.writer.0.position.load(Ordering::Relaxed);
        let tail = position as u32;
        let next = ring.after(tail);
        if next == ring.head() {
            return false;
        }
        ring.write(tail, event);
        let round = if next == 0 { (position >> 32) + 1 } else { position >> 32 };
        // Release pairs with the Acquire of reapers, who read our own position. It fails if the lock was taken over from us.
        let shown = self.writer.0.position.compare_exchange(
            position,
            round << 32 | u64::from(next),
            Ordering::Release,
            Ordering::Relaxed,
        );
        if shown.is_ok() {
            ring.set_tail(next);
        }
        shown.is_ok()
    }

    /// Lets go of the ring, after what others have left. True: somebody who sleeps has what it waits for, and is to be woken.
    fn give_up(&self) -> bool {
        let writer = &self.writer.0;
        loop {
            let is_full = !self.drain_backlog();
            writer.lock.release();
            // Pairs with the fence of `leave_in_backlog`: either it finds the lock free, or we find what it left.
            fence(Ordering::SeqCst);
            if is_full || !self.has_backlog() || !writer.try_take() {
                break;
            }
        }
        self.waiters.0.have(|| self.completed())
    }

    /// Writes the backlog, newest first, under the lock. False: the ring is full.
    fn drain_backlog(&self) -> bool {
        let writer = &self.writer.0;
        while let Some(newest) = NonNull::new(writer.backlog.load(Ordering::Acquire)) {
            // SAFETY: requests in the backlog are whole, and only who has the lock takes one out.
            let (event, is_counted, operation) = unsafe {
                let this = newest.as_ref();
                (this.event(), this.is_counted(), newest.cast::<Operation>().as_ptr())
            };
            // SAFETY: as above, and the engine is done with the operation; here and below.
            if unsafe { (*operation).offset } != WRITTEN {
                writer.writing.store(newest.as_ptr(), Ordering::Relaxed);
                // SAFETY: as above.
                unsafe { (*operation).offset = writer.position.load(Ordering::Relaxed) as i64 };
                let written = self.write(&event);
                // SAFETY: as above.
                unsafe { (*operation).offset = if written { WRITTEN } else { UNWRITTEN } };
                writer.writing.store(ptr::null_mut(), Ordering::Relaxed);
                if !written {
                    return false;
                }
                if is_counted {
                    self.count_returned();
                }
            }
            // SAFETY: as above. Relaxed: written before it was pushed.
            let older = unsafe { newest.as_ref().behind() }.load(Ordering::Relaxed).cast::<Request>();
            // Fails if another was pushed meanwhile: then this one is further down, and is found to be written when it is
            // come to.
            if writer.backlog.compare_exchange(newest.as_ptr(), older, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                self.pool.put(newest);
            }
        }
        true
    }

    fn leave_in_backlog(&self, request: NonNull<Request>) -> bool {
        let writer = &self.writer.0;
        // SAFETY: the request is the caller's until the exchange, and the engine is done with the operation.
        unsafe { (*request.cast::<Operation>().as_ptr()).offset = UNWRITTEN };
        let mut newest = writer.backlog.load(Ordering::Relaxed);
        loop {
            // SAFETY: as above.
            unsafe { request.as_ref().behind() }.store(newest.cast(), Ordering::Relaxed);
            // Release pairs with the Acquire of `drain_backlog`: it finds the request whole.
            match writer.backlog.compare_exchange_weak(newest, request.as_ptr(), Ordering::Release, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => newest = now,
            }
        }
        // Pairs with the fence of `give_up`.
        fence(Ordering::SeqCst);
        writer.try_take() && self.give_up()
    }
}
