//! A context of which one thread reaps what others submit, as in databases: while it waits, the next requests go to it from
//! hand to hand, and by its [private ring](crate::engine::private). Otherwise the engine's thread would have to be woken for
//! each request, and the reaper by the engine's thread.
//!
//! The reaper must have shown that it comes back, like any thread with a ring of its own.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use core::time::Duration;

use super::context::{Context, Used};
use super::request::Request;
use super::submit::add_to_batch;
use crate::engine::private::{self, Handed, Proof, Ring};
use crate::engine::started;
use crate::host::futex::Deadline;
use crate::host::kernel::Errno;
use crate::host::thread;

/// More in flight than this go by the engine's thread: it takes many at once, and has a processor of its own then.
const FEW: u64 = 6;

/// How long the reaper waits for something to be handed over. After that it sleeps without a ring, which wakes it now and then.
const WHILE: Duration = Duration::from_millis(20);

/// [`Lender::reaper`]: nobody has reaped yet; more than one thread has.
const UNKNOWN: usize = 0;
const MANY: usize = 1;

/// Who reaps in a context that others submit to.
pub struct Lender {
    /// The one thread that reaps, by its thread pointer.
    reaper: AtomicUsize,
    /// What it has shown, which is that thread's alone.
    proof: Proof,
    /// Its ring, while it sleeps there.
    ring: AtomicPtr<Ring>,
}

impl Lender {
    /// Nobody has reaped yet.
    pub const fn new() -> Self {
        Self { reaper: AtomicUsize::new(UNKNOWN), proof: Proof::new(), ring: AtomicPtr::new(ptr::null_mut()) }
    }

    fn ring(&self) -> Option<&'static Ring> {
        // Acquire pairs with the Release of `lend`.
        let ring = self.ring.load(Ordering::Acquire);
        // SAFETY: a ring of this process, which is never freed, or none: a child of a fork has no context.
        unsafe { ring.as_ref() }
    }

    /// Forgets everything. Nobody uses the context.
    pub fn reset(&self) {
        self.reaper.store(UNKNOWN, Ordering::Relaxed);
        self.proof.reset();
        self.ring.store(ptr::null_mut(), Ordering::Relaxed);
    }
}

impl Context {
    /// The calling thread begins to reap in a context that is not its alone. Whether it is the only one that does, and whether a
    /// signal handler of the program's has just run.
    #[inline]
    pub fn begin_reap(&self) -> (bool, bool) {
        let (me, lender) = (thread::pointer(), &self.habit.0.lender);
        // Relaxed: each thread looks for itself alone.
        match lender.reaper.load(Ordering::Relaxed) {
            known if known == me => (true, self.come_back()),
            UNKNOWN => {
                (lender.reaper.compare_exchange(UNKNOWN, me, Ordering::Relaxed, Ordering::Relaxed).is_ok(), false)
            }
            MANY => (false, false),
            _ => {
                lender.reaper.store(MANY, Ordering::Relaxed);
                // Who has reaped until now may leave it to this one.
                if let Some(ring) = lender.ring() {
                    ring.clear_desk();
                }
                (false, false)
            }
        }
    }

    /// The only one that reaps is back at its desk, which it may have left open. Whether a signal handler has just run.
    fn come_back(&self) -> bool {
        let lender = &self.habit.0.lender;
        lender.proof.enter();
        let Some(ring) = private::mine() else { return false };
        ring.come_back();
        let (_, interrupted) = ring.close_desk(|handed| submit_for_others(ring, handed));
        interrupted
    }

    /// The only one that reaps has reaped `count` events.
    #[inline]
    pub fn end_reap_for_others(&self, count: usize) {
        let lender = &self.habit.0.lender;
        lender.proof.leave(count, self.in_flight() > 0);
        if self.in_flight() == 0
            && let Some(ring) = self.ring_to_lend()
            && ring.leave_desk()
        {
            // Release pairs with the Acquire of `hand_over`.
            lender.ring.store(ptr::from_ref(ring).cast_mut(), Ordering::Release);
        }
    }

    /// Whether the calling thread is the only one that reaps.
    pub fn has_one_reaper(&self) -> bool {
        self.habit.0.lender.reaper.load(Ordering::Relaxed) == thread::pointer()
    }

    /// The calling thread's ring, if it is the only one that reaps here and may wait there for what others hand over.
    pub fn ring_to_lend(&self) -> Option<&'static Ring> {
        let lender = &self.habit.0.lender;
        let may = self.has_one_reaper() && lender.proof.is_enough() && self.in_flight() <= FEW;
        if may { private::open() } else { None }
    }

    /// Hands a request to the thread that reaps, if it waits for one just now.
    ///
    /// # Safety
    /// The request is the caller's, and whole; if this is so, it is no more.
    #[inline]
    pub unsafe fn hand_over(&self, request: NonNull<Request>) -> bool {
        let Some(ring) = self.habit.0.lender.ring() else { return false };
        // SAFETY: the caller's promise.
        let operation = unsafe { request.as_ref().operation.assume_init_ref() };
        // SIGXFSZ would go to a thread that only reaps.
        self.in_flight() <= FEW && !operation.may_raise_signal() && ring.hand(request.cast())
    }
}

/// The calling thread sleeps in its ring until there have been `wake_at` events, or the word changes, and submits what others hand
/// over. Whether anything came; if not, the next sleep is better had elsewhere.
///
/// # Errors
/// `EINTR`, `ETIMEDOUT`.
pub fn lend(used: &Used, ring: &'static Ring, wake_at: u64, seen: u32, deadline: Deadline) -> Result<bool, Errno> {
    let context = used.context();
    let lender = &context.habit.0.lender;
    if !context.sleep_until(wake_at) {
        return Ok(true);
    }
    if !ring.open_desk(context.word(), seen) {
        return Ok(false);
    }
    // Release pairs with the Acquire of `hand_over`.
    lender.ring.store(ptr::from_ref(ring).cast_mut(), Ordering::Release);
    let end = Deadline::after(WHILE);
    let slept = if ring.has_been_handed() { Ok(()) } else { ring.wait(1, deadline.sooner(end), None) };
    // (The context may be another by now, with another reaper.)
    let _ = lender.ring.compare_exchange(
        ptr::from_ref(ring).cast_mut(),
        ptr::null_mut(),
        Ordering::Relaxed,
        Ordering::Relaxed,
    );
    let (handed, interrupted) = ring.close_desk(|handed| submit_for_others(ring, handed));
    context.sleep_no_more(wake_at);
    ring.gather();
    let came = handed || end.left() != Some(0);
    match slept {
        _ if interrupted => Err(Errno(libc::EINTR)),
        Err(Errno(libc::ETIMEDOUT)) if deadline.left() != Some(0) => Ok(came),
        slept => slept.map(|()| came),
    }
}

/// Submits requests to the calling thread's ring, and to the engine what that does not take.
fn submit_for_others(ring: &'static Ring, handed: Handed) {
    let mut batch = ring.begin();
    for operation in handed {
        let request = operation.cast::<Request>();
        let added = batch.as_mut().is_some_and(|batch| {
            // SAFETY: handed over by `hand_over`, as a request of this face, whole, and ours alone now. A request in flight
            // keeps its context, which need not be the one that is reaped from.
            unsafe { add_to_batch(batch, &*request.as_ref().context, request) }
        });
        if !added && let Some(engine) = started() {
            // SAFETY: requests stay until they are finished; their buffers are the program's.
            unsafe { engine.submit(operation) };
        }
    }
    if let Some(batch) = batch {
        batch.submit();
    }
}
