//! How events get into a context's ring.
//!
//! One thread at a time writes, under a lock whose holder may leave at any point by a jump ([`AbandonableLock`]). No thread
//! waits for the lock: one that finds it taken leaves its request in the backlog, and the holder writes the backlog, too,
//! before it releases the lock. How far the ring is written is one word, `position`, so that a successor finds either
//! nothing or all of an event that its predecessor was writing.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering, compiler_fence, fence};

use super::abandonable_lock::AbandonableLock;
use super::backlog::Backlog;
use super::waiters::Waiters;
use crate::engine::{AroundOperation, Kind, Operation, WakeBatch};
use crate::host::futex;
use crate::libaio::request::{Request, RequestPool};
use crate::libaio::ring::event_ring::EventRing;
use crate::libaio::ring::layout::Event;

/// How often a call looks, 50 µs apart, whether the lock's holder has written the call's event, before the call ends.
const BACKLOG_LOOKS: u32 = 100;

/// The parts of a context that writing an event touches.
pub struct Target<'a, Owner> {
    /// Where events go.
    pub ring: &'a EventRing,
    /// Threads that wait for them.
    pub waiters: &'a Waiters,
    /// Where requests come from and go to.
    pub pool: &'a RequestPool<Owner>,
}

/// The state that writers share.
///
/// **`writer-has-backlog`**: requests in the backlog are whole, the engine is done with their operations, and only the
/// lock's holder touches or removes one.
pub struct EventWriter {
    lock: AbandonableLock,
    /// The index of the next event in the lower half, how often the ring was gone round in the upper. Only the lock's holder
    /// writes it, so its own loads are Relaxed.
    position: AtomicU64,
    /// Requests of the engines whose events were written.
    returned: AtomicU64,
    /// Requests whose events wait for room or for the lock, linked through their operations.
    backlog: Backlog<Operation>,
    /// The operation of the backlog whose event is being written, or was when a holder left.
    writing: AtomicPtr<Operation>,
}

// How far the event of a request in the backlog is, noted in [`Operation::offset`]: the position where it is being written,
// or one of these.
const UNWRITTEN: i64 = -1;
const WRITTEN: i64 = -2;

/// The note of how far an operation's event is.
///
/// # Safety
/// The operation is valid, and the caller's alone or under the lock (writer-has-backlog).
unsafe fn progress<'a>(operation: NonNull<Operation>) -> &'a mut i64 {
    // SAFETY: the caller's promise.
    unsafe { &mut (*operation.as_ptr()).offset }
}

impl EventWriter {
    /// No event was written.
    pub const fn new() -> Self {
        Self {
            lock: AbandonableLock::new(),
            position: AtomicU64::new(0),
            returned: AtomicU64::new(0),
            backlog: Backlog::new(),
            writing: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The same, of a context that is not in use.
    pub fn reset(&self) {
        self.position.store(0, Ordering::Relaxed);
        self.returned.store(0, Ordering::Relaxed);
        self.backlog.reset();
        self.writing.store(ptr::null_mut(), Ordering::Relaxed);
    }

    /// The index of the next event to be written.
    #[inline]
    pub fn tail(&self) -> u32 {
        // Acquire pairs with the Release in `write`: the events before it are whole.
        self.position.load(Ordering::Acquire) as u32
    }

    /// The same, once the program sees these events in memory as well. A call that takes events must not move the head past
    /// the tail that the program knows: it would read the whole ring again. (A writer moves `position` first; it may be late
    /// with the tail, or have left.)
    #[inline]
    pub fn shown_tail(&self, ring: &EventRing) -> u32 {
        loop {
            // In this order: the tail never goes back. A writer that moves `position` afterwards shows its event itself.
            let visible = ring.visible_tail();
            let tail = self.tail();
            if visible == tail || ring.advance_tail(visible, tail) {
                return tail;
            }
        }
    }

    /// Events written so far.
    #[inline]
    pub fn completed(&self, ring: &EventRing) -> u64 {
        // Acquire pairs with the Release in `write`.
        let position = self.position.load(Ordering::Acquire);
        (position >> 32) * u64::from(ring.nr()) + (position & 0xffff_ffff)
    }

    /// Requests of the engines whose events were written.
    #[inline]
    pub fn returned(&self) -> u64 {
        // Acquire pairs with the Release in `count_returned`.
        self.returned.load(Ordering::Acquire)
    }

    /// Whether events wait for room in the ring, or for the lock's holder.
    pub fn has_backlog(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Writes the event of an iocb that was done at once. True: waiters must be woken.
    #[inline]
    pub fn complete<Owner>(&self, to: &Target<Owner>, event: &Event) -> bool {
        loop {
            if self.try_lock() {
                let is_written = self.write(to.ring, event);
                let must_wake = self.unlock(to);
                if is_written {
                    return must_wake;
                }
            }
            if let Some(mut request) = to.pool.take() {
                // SAFETY: request-is-owned, by this call until it is in the backlog.
                let this = unsafe { request.as_mut() };
                this.set_names(event);
                this.result = event.result as i32;
                this.operation.write(Operation::new(Kind::Nop, -1, not_submitted));
                // SAFETY: as above.
                let must_wake = unsafe { self.leave_in_backlog(to, request) };
                // What was done at once should be in the ring when io_submit returns. The holder of the lock needs a moment
                // for it, unless this is a signal handler that interrupted the holder.
                for _ in 0..BACKLOG_LOOKS {
                    if self.backlog.is_empty() {
                        break;
                    }
                    futex::sleep_50us();
                }
                return must_wake;
            }
            futex::sleep_50us();
        }
    }

    /// Writes the event of a request and takes the request back. True: waiters must be woken.
    ///
    /// # Safety
    /// request-is-owned, by the caller, which gives it up; it is of this context's pool, and its operation was written.
    pub unsafe fn complete_request<Owner>(&self, to: &Target<Owner>, request: NonNull<Request<Owner>>) -> bool {
        if !self.try_lock() {
            // SAFETY: the caller's promise.
            return unsafe { self.leave_in_backlog(to, request) };
        }
        // SAFETY: the caller's promise.
        let (event, is_counted) = unsafe { (request.as_ref().event(), request.as_ref().is_counted()) };
        if !self.write(to.ring, &event) {
            let _ = self.unlock(to);
            // SAFETY: the caller's promise.
            return unsafe { self.leave_in_backlog(to, request) };
        }
        if is_counted {
            self.count_returned();
        }
        to.pool.put(request);
        self.unlock(to)
    }

    /// Writes what is in the backlog, if no other thread does. True: waiters must be woken.
    #[cold]
    pub fn write_backlog<Owner>(&self, to: &Target<Owner>) -> bool {
        self.try_lock() && self.unlock(to)
    }

    /// Takes the lock, if it is free or was abandoned.
    #[inline]
    fn try_lock(&self) -> bool {
        let is_taken = self.lock.try_take().is_ok();
        // Relaxed, here and below: only the lock's holder reads and writes the word.
        if is_taken && !self.writing.load(Ordering::Relaxed).is_null() {
            self.recover();
        }
        is_taken
    }

    /// The last holder left while it wrote an event of the backlog: finds out how far it came.
    #[cold]
    fn recover(&self) {
        let Some(operation) = NonNull::new(self.writing.load(Ordering::Relaxed)) else { return };
        // SAFETY: writer-has-backlog.
        let progress = unsafe { progress(operation) };
        if *progress >= 0 {
            let is_written = *progress != self.position.load(Ordering::Relaxed) as i64;
            *progress = if is_written { WRITTEN } else { UNWRITTEN };
        }
        self.writing.store(ptr::null_mut(), Ordering::Relaxed);
    }

    /// Writes an event and makes it visible. False: the ring is full. Under the lock.
    #[inline]
    fn write(&self, ring: &EventRing, event: &Event) -> bool {
        let position = self.position.load(Ordering::Relaxed);
        let tail = position as u32;
        let next = ring.after(tail);
        if next == ring.head() {
            return false;
        }
        ring.write(tail, event);
        let round = if next == 0 { (position >> 32) + 1 } else { position >> 32 };
        // Release pairs with the Acquire in `tail`. It fails if another thread took the lock over from this one.
        let moved = self.position.compare_exchange(
            position,
            round << 32 | u64::from(next),
            Ordering::Release,
            Ordering::Relaxed,
        );
        if moved.is_ok() {
            ring.set_tail(next);
        }
        moved.is_ok()
    }

    fn count_returned(&self) {
        // Under the lock: no other thread adds. Release pairs with the Acquire in `returned`.
        self.returned.store(self.returned.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// Releases the lock, after writing what other threads have left in the backlog. True: a waiter has what it waits for,
    /// and waiters must be woken.
    fn unlock<Owner>(&self, to: &Target<Owner>) -> bool {
        loop {
            let is_full = !self.drain_backlog(to);
            self.lock.release();
            // SeqCst pairs with the fence in `leave_in_backlog`: either that thread finds the lock free, or this one finds
            // what it left. And with that in `Waiters::begin`.
            fence(Ordering::SeqCst);
            if is_full || !self.has_backlog() || !self.try_lock() {
                break;
            }
        }
        to.waiters.have(|| self.completed(to.ring))
    }

    /// Writes the backlog, newest first, under the lock. False: the ring is full.
    fn drain_backlog<Owner>(&self, to: &Target<Owner>) -> bool {
        while let Some(operation) = self.backlog.newest() {
            let request = Request::<Owner>::of(operation);
            // SAFETY: writer-has-backlog; here and below.
            let (event, is_counted) = unsafe { (request.as_ref().event(), request.as_ref().is_counted()) };
            // SAFETY: as above.
            if unsafe { *progress(operation) } != WRITTEN {
                // The fences keep these stores in order for `recover`, if a handler leaves this call by a jump.
                self.writing.store(operation.as_ptr(), Ordering::Relaxed);
                compiler_fence(Ordering::SeqCst);
                // SAFETY: as above.
                unsafe { *progress(operation) = self.position.load(Ordering::Relaxed) as i64 };
                compiler_fence(Ordering::SeqCst);
                let is_written = self.write(to.ring, &event);
                // SAFETY: as above.
                unsafe { *progress(operation) = if is_written { WRITTEN } else { UNWRITTEN } };
                compiler_fence(Ordering::SeqCst);
                self.writing.store(ptr::null_mut(), Ordering::Relaxed);
                if !is_written {
                    return false;
                }
                if is_counted {
                    self.count_returned();
                }
            }
            // If another request was pushed meanwhile, this one is further down, and is found to be written later.
            // SAFETY: as above.
            if unsafe { self.backlog.remove_newest(operation) } {
                to.pool.put(request);
            }
        }
        true
    }

    /// Leaves a request to the holder of the lock. True: waiters must be woken.
    ///
    /// # Safety
    /// As for [`EventWriter::complete_request`].
    unsafe fn leave_in_backlog<Owner>(&self, to: &Target<Owner>, request: NonNull<Request<Owner>>) -> bool {
        let operation = Request::operation(request);
        // SAFETY: the caller's promise.
        unsafe {
            *progress(operation) = UNWRITTEN;
            self.backlog.push(operation);
        }
        // SeqCst pairs with the fence in `unlock`.
        fence(Ordering::SeqCst);
        self.try_lock() && self.unlock(to)
    }
}

/// The [`Finish`](crate::engine::Finish) of requests that stand for an event in the backlog, and never go to an engine.
unsafe fn not_submitted(_: NonNull<Operation>, _: i64, _: &mut WakeBatch) {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::EventWriter;
    use crate::libaio::ring::event_ring::EventRing;
    use crate::libaio::ring::layout::Event;
    use crate::libaio::ring::ring_memory::RingMemory;
    use crate::libaio::ring::ring_size;

    #[test]
    #[cfg_attr(miri, ignore = "it needs the kernel")]
    fn what_a_call_takes_is_shown_before() {
        let (ring, _) = EventRing::new(ring_size::for_events(1).unwrap(), &mut RingMemory::new()).unwrap();
        let writer = EventWriter::new();
        assert!(writer.write(&ring, &Event { data: 1, object: 2, result: 3, result2: 0 }));
        // The writer has moved the position, and not the tail yet.
        ring.set_tail(0);
        assert_eq!(writer.shown_tail(&ring), 1);
        assert_eq!(ring.visible_tail(), 1);
        // Another thread that saw the same does not move it again.
        assert!(!ring.advance_tail(0, 1));
    }
}
