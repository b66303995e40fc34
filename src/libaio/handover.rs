//! A context of which one thread reaps what others submit, as in databases: while it waits and nothing is in flight, the next
//! request goes to it from hand to hand, and by its [private ring](crate::engine::private). Otherwise the engine's thread
//! would have to be woken for the request, and the reaper by the engine's thread.
//!
//! The reaper looks for a request for a moment before it goes to sleep, if that has been worth it lately. It must have shown
//! that it comes back, like any thread with a ring of its own.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use core::time::Duration;

use super::context::{Context, Used};
use super::request::Request;
use super::submit::add_to_batch;
use crate::engine::private::{self, Proof, Ring};
use crate::engine::started;
use crate::host::futex::Deadline;
use crate::host::kernel::Errno;
use crate::host::signals;
use crate::host::thread;

/// How long the reaper looks: a program's thread that it has just woken needs some 20 µs to run.
const MOMENT: Duration = Duration::from_micros(50);

/// How many looks in vain, on end, until it is not worth it any more. A look that was not in vain makes up for two.
const MOST_LUCK: u32 = 32;

/// How many sleeps later it is tried again.
const SELDOM: u32 = 128;

/// [`Lender::reaper`]: nobody has reaped yet; more than one thread has.
const UNKNOWN: usize = 0;
const MANY: usize = 1;

/// Who reaps in a context that others submit to.
pub struct Lender {
    /// The one thread that reaps, by its thread pointer.
    reaper: AtomicUsize,
    /// What it has shown. This and what follows is that thread's alone.
    proof: Proof,
    luck: AtomicU32,
    sleeps: AtomicU32,
    /// Another thread can run while it looks.
    looks: AtomicBool,
    /// Its ring, once it has one and looks.
    ring: AtomicPtr<Ring>,
}

impl Lender {
    /// Nobody has reaped yet.
    pub const fn new() -> Self {
        Self {
            reaper: AtomicUsize::new(UNKNOWN),
            proof: Proof::new(),
            luck: AtomicU32::new(MOST_LUCK),
            sleeps: AtomicU32::new(0),
            looks: AtomicBool::new(false),
            ring: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Forgets everything. Nobody uses the context.
    pub fn reset(&self) {
        self.reaper.store(UNKNOWN, Ordering::Relaxed);
        self.proof.reset();
        self.luck.store(MOST_LUCK, Ordering::Relaxed);
        self.ring.store(ptr::null_mut(), Ordering::Relaxed);
    }

    #[cold]
    fn begin(&self, me: usize) -> bool {
        let is_first = self.reaper.compare_exchange(UNKNOWN, me, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_first {
            self.looks.store(thread::has_processors(), Ordering::Relaxed);
        }
        is_first
    }

    /// Whether it is worth a look.
    fn is_promising(&self) -> bool {
        let sleeps = self.sleeps.load(Ordering::Relaxed).wrapping_add(1);
        self.sleeps.store(sleeps, Ordering::Relaxed);
        self.luck.load(Ordering::Relaxed) > 0 || sleeps.is_multiple_of(SELDOM)
    }

    fn note(&self, found: bool) {
        let luck = self.luck.load(Ordering::Relaxed);
        self.luck.store(if found { (luck + 2).min(MOST_LUCK) } else { luck.saturating_sub(1) }, Ordering::Relaxed);
    }
}

impl Context {
    /// The calling thread begins to reap in a context that is not its alone. Whether it is the only one that does.
    #[inline]
    pub fn begin_reap(&self) -> bool {
        let (me, lender) = (thread::pointer(), &self.habit.0.lender);
        // Relaxed: each thread looks for itself alone.
        let alone = match lender.reaper.load(Ordering::Relaxed) {
            known if known == me => true,
            UNKNOWN => lender.begin(me),
            MANY => false,
            _ => {
                lender.reaper.store(MANY, Ordering::Relaxed);
                false
            }
        };
        if alone {
            lender.proof.enter();
        }
        alone
    }

    /// The only one that reaps has reaped `count` events.
    #[inline]
    pub fn end_reap_for_others(&self, count: usize) {
        self.habit.0.lender.proof.leave(count, self.in_flight() > 0);
    }

    /// Hands a request to the thread that reaps, if it looks for one just now.
    ///
    /// # Safety
    /// The request is the caller's, and whole; if this is so, it is no more.
    #[inline]
    pub unsafe fn hand_over(&self, request: NonNull<Request>) -> bool {
        // Acquire pairs with the Release of `lend`. (Rings are never freed.)
        let ring = self.habit.0.lender.ring.load(Ordering::Acquire);
        // SAFETY: a ring of this process, or none: a child of a fork has no context.
        let Some(ring) = (unsafe { ring.as_ref() }) else { return false };
        // SAFETY: the caller's promise.
        let operation = unsafe { request.as_ref().operation.assume_init_ref() };
        // SIGXFSZ would go to a thread that only reaps.
        !operation.may_raise_signal() && ring.hand(request.cast())
    }
}

impl Used {
    /// The calling thread is about to sleep until more than `completed` events have come. If it is the only one that reaps
    /// here, it looks for a moment whether a request comes, and submits it. Whether one came.
    ///
    /// Signals wait meanwhile: a handler that ran would have to end the call, and no look at anything tells that one has. Nor
    /// does a handler find a request that nobody but the thread that it interrupted can submit.
    ///
    /// # Errors
    /// `EINTR`: a signal handler of the program's has just run.
    pub fn lend(&self, completed: u64, deadline: Deadline) -> Result<bool, Errno> {
        let lender = &self.habit.0.lender;
        if lender.reaper.load(Ordering::Relaxed) != thread::pointer()
            || !lender.proof.is_enough()
            || self.in_flight() > 0
            || !lender.looks.load(Ordering::Relaxed)
            || !lender.is_promising()
        {
            return Ok(false);
        }
        let Some(ring) = private::open() else { return Ok(false) };
        let blocked = thread::block_all_departures();
        let found = self.lend_ring(ring, completed, deadline);
        let waiting = thread::pending_signals() & !blocked;
        let interrupted = waiting != 0 && signals::any_handled(waiting);
        thread::restore_signals(&blocked);
        if interrupted { Err(Errno(libc::EINTR)) } else { Ok(found) }
    }

    fn lend_ring(&self, ring: &'static Ring, completed: u64, deadline: Deadline) -> bool {
        let lender = &self.habit.0.lender;
        // Release pairs with the Acquire of `hand_over`.
        lender.ring.store(ptr::from_ref(ring).cast_mut(), Ordering::Release);
        let taken =
            ring.lend(deadline.sooner(Deadline::after(MOMENT)), || self.completed() != completed || self.is_dead());
        lender.ring.store(ptr::null_mut(), Ordering::Relaxed);
        lender.note(taken.is_some());
        let Some(operation) = taken else { return false };
        let request = operation.cast::<Request>();
        // SAFETY: handed over by `hand_over`, as a request of this face, whole, and ours alone now.
        unsafe { submit_for_another(ring, request) };
        ring.lent();
        true
    }
}

/// Submits a request to the calling thread's ring, or to the engine if that does not take it.
///
/// # Safety
/// The request is the caller's, and whole.
unsafe fn submit_for_another(ring: &'static Ring, request: NonNull<Request>) {
    if let Some(mut batch) = ring.begin() {
        // SAFETY: a request in flight keeps its context, which need not be this one.
        let added = unsafe { add_to_batch(&mut batch, &*request.as_ref().context, request) };
        batch.submit();
        if added {
            return;
        }
    }
    if let Some(engine) = started() {
        // SAFETY: requests stay until they are finished; their buffers are the program's.
        unsafe { engine.submit(request.cast()) };
        engine.settle();
    }
}
