//! A context: its ring, what is in flight, the threads that wait in it, and the threads that take events out of it.
//!
//! Contexts are never freed but used again, so that a call that comes too late finds another address, which it notices. Three
//! kinds of threads meet here, each on cache lines of its own: submitters, writers of events (the engines' threads, and
//! submitters whose request was done at once), and reapers. A signal handler may take any of them away from a call by a jump:
//! nothing here is left in a state that the next caller could not go on from.
//!
//! **Room** is counted as fs/aio.c does: an event that has not been read occupies the room of its request.
//!
//! **The kernel** may carry a context from some point on ([`super::carriage`]): then its ring lies at the address, and
//! only the address is used here.

mod abandonable_lock;
mod backlog;
mod carriage_state;
mod event_writer;
mod users;
mod waiters;

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence};
use core::time::Duration;

use abandonable_lock::{AbandonableLock, Hold};
use carriage_state::Carriage;
use event_writer::{EventWriter, Target};
use users::{Entry, Users};
use waiters::Waiters;

use super::request;
use super::request::RequestPool;
use super::ring::event_ring::EventRing;
use super::ring::layout::Event;
use crate::host::futex::{self, Deadline};
use crate::host::kernel::Errno;
use crate::host::user_access;

/// How often a call looks, 50 µs apart, whether another thread has written the backlog.
const BACKLOG_LOOKS: u32 = 100;

/// A request of a context.
pub type Request = request::Request<Context>;

/// Puts what follows onto a cache line of its own.
#[repr(align(64))]
struct CacheLine<T>(T);

/// A context.
///
/// **`context-stays`**: the ring of a context is changed only while the context is not in use. A [`ContextRef`] keeps it in
/// use, and so does a request in flight.
#[repr(C)]
pub struct Context {
    /// The program's mapping of the ring; 0 while the context is not in use.
    address: AtomicUsize,
    /// `io_destroy` has begun.
    is_destroyed: AtomicBool,
    /// How often the context was opened.
    generation: AtomicU32,
    ring: UnsafeCell<EventRing>,
    /// What `io_setup` was asked for. Relaxed throughout: written before the context can be found.
    pub requested: AtomicU32,
    /// Which side carries its requests.
    pub carriage: Carriage,
    users: CacheLine<Users>,
    /// Requests that went to the engines. Relaxed throughout: a count; the submission publishes the requests.
    submitted: CacheLine<AtomicU64>,
    writer: CacheLine<EventWriter>,
    waiters: CacheLine<Waiters>,
    /// The reapers' lock.
    reaping: CacheLine<AbandonableLock>,
    /// Events that calls have taken, in contrast to those that the program took out of the ring itself.
    reaped: AtomicU64,
    /// Its requests.
    pub pool: RequestPool<Self>,
}

// SAFETY: context-stays; all else is atomic.
unsafe impl Sync for Context {}
// SAFETY: nothing in it belongs to a thread.
unsafe impl Send for Context {}

/// A context that the calling thread is in a call on: it cannot be taken apart meanwhile.
pub struct ContextRef {
    context: &'static Context,
    entry: Entry,
}

impl core::ops::Deref for ContextRef {
    type Target = Context;
    fn deref(&self) -> &Context {
        self.context
    }
}

impl Drop for ContextRef {
    fn drop(&mut self) {
        self.context.users.0.leave(self.entry);
    }
}

impl ContextRef {
    /// Does what may take long without delaying `io_destroy`: a signal handler may even leave the call, by `siglongjmp` or
    /// with the thread, and never come back.
    ///
    /// # Errors
    /// `EINVAL`: the context was destroyed meanwhile, and must not be touched any more.
    pub fn while_away<T>(&mut self, what: impl FnOnce() -> T) -> Result<T, Errno> {
        let context = self.context;
        // Relaxed: written before the context could be found.
        let generation = context.generation.load(Ordering::Relaxed);
        context.users.0.leave(self.entry);
        let done = what();
        self.entry = context.users.0.enter();
        // SeqCst pairs with `mark_destroyed` and with `Users::enter`: either the destroyer sees this call, or this call sees
        // the mark.
        let is_gone = context.is_destroyed() || context.generation.load(Ordering::SeqCst) != generation;
        if is_gone { Err(Errno(libc::EINVAL)) } else { Ok(done) }
    }

    /// Whether this call is the only one on the context, of any thread: it has interrupted none of its own thread's either.
    pub fn is_only_call(&self) -> bool {
        self.context.users.0.is_only(self.entry)
    }

    /// The context itself, for callers that know that it stays: one with a request in flight does.
    #[must_use]
    pub fn context(&self) -> &'static Context {
        self.context
    }
}

impl Context {
    /// A context that is not in use.
    pub const fn new() -> Self {
        Self {
            address: AtomicUsize::new(0),
            is_destroyed: AtomicBool::new(false),
            generation: AtomicU32::new(0),
            ring: UnsafeCell::new(EventRing::NONE),
            requested: AtomicU32::new(0),
            carriage: Carriage::new(),
            users: CacheLine(Users::new()),
            submitted: CacheLine(AtomicU64::new(0)),
            writer: CacheLine(EventWriter::new()),
            waiters: CacheLine(Waiters::new()),
            reaping: CacheLine(AbandonableLock::new()),
            reaped: AtomicU64::new(0),
            pool: RequestPool::new(),
        }
    }

    /// Begins to use the context for `ring`, of which the program has a mapping at `address`.
    ///
    /// # Safety
    /// The context is not in use, and no other thread begins to use it.
    pub unsafe fn open(&self, ring: EventRing, address: usize, requested: u32) {
        // SAFETY: no thread looks at the ring of a context that is not in use.
        unsafe { *self.ring.get() = ring };
        // Relaxed, here and in `reset`: published by the store of the address.
        self.requested.store(requested, Ordering::Relaxed);
        self.submitted.0.store(0, Ordering::Relaxed);
        self.writer.0.reset();
        self.waiters.0.reset();
        self.reaped.store(0, Ordering::Relaxed);
        self.users.0.reset();
        self.carriage.reset();
        self.generation.fetch_add(1, Ordering::Relaxed);
        self.is_destroyed.store(false, Ordering::Relaxed);
        // SeqCst pairs with `enter`, which must not see the address without the above.
        self.address.store(address, Ordering::SeqCst);
    }

    /// The address by which the program knows it.
    pub fn address(&self) -> usize {
        // Acquire pairs with `open`: who finds a context by its new address finds it with the library, not with the kernel, which
        // may have carried it before. `enter` orders the rest.
        self.address.load(Ordering::Acquire)
    }

    /// The program has moved its mapping.
    pub fn set_address(&self, address: usize) {
        // SeqCst as in `open`.
        self.address.store(address, Ordering::SeqCst);
    }

    /// Uses the context, if it is the one at `address`.
    #[inline]
    pub fn enter(&'static self, address: usize) -> Option<ContextRef> {
        // SeqCst pairs with `mark_destroyed` and with `Users::enter`: either this call sees that the context is being
        // destroyed, or the destroyer sees this call.
        let context = ContextRef { context: self, entry: self.users.0.enter() };
        (self.address.load(Ordering::SeqCst) == address && !self.is_destroyed()).then_some(context)
    }

    /// The ring.
    pub fn ring(&self) -> &EventRing {
        // SAFETY: context-stays, by the caller's ContextRef or request.
        unsafe { &*self.ring.get() }
    }

    /// Whether `io_destroy` has begun.
    pub fn is_destroyed(&self) -> bool {
        // SeqCst: see `enter`.
        self.is_destroyed.load(Ordering::SeqCst)
    }

    /// Begins to destroy the context, and wakes the threads that wait in it. False: another call has begun.
    pub fn mark_destroyed(&self) -> bool {
        // SeqCst: see `enter`.
        if self.is_destroyed.swap(true, Ordering::SeqCst) {
            return false;
        }
        self.wake_all();
        true
    }

    /// Waits until no other call uses the context, which the caller uses and has [marked](Context::mark_destroyed). False:
    /// one does not end.
    pub fn await_users(&self) -> bool {
        self.users.0.await_others()
    }

    /// Whether the calling thread is the only one in a call on the context.
    pub fn is_used_alone(&self) -> bool {
        self.users.0.is_alone()
    }

    /// Gives back the ring; the context is not in use any more.
    ///
    /// # Safety
    /// The caller has marked the context as destroyed, and has waited for its users and requests.
    pub unsafe fn close(&self) -> EventRing {
        // SeqCst as in `open`.
        self.address.store(0, Ordering::SeqCst);
        self.pool.free_all();
        // SAFETY: no other thread looks at it any more.
        unsafe { core::mem::replace(&mut *self.ring.get(), EventRing::NONE) }
    }

    // --- Room and requests in flight ----------------------------------------------------------------------------------

    /// Requests that are with the engines, or complete and wait for room in the ring.
    #[inline]
    pub fn in_flight(&self) -> u64 {
        let returned = self.writer.0.returned();
        self.submitted.0.load(Ordering::Relaxed).saturating_sub(returned)
    }

    /// Whether nothing is in flight.
    pub fn is_idle(&self) -> bool {
        self.in_flight() == 0 && !self.has_backlog()
    }

    /// Notes that so many requests are about to go to the engines.
    #[inline]
    pub fn note_submitted(&self, count: u64) {
        self.submitted.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Takes back requests that were noted and that the engines do not know: their calls were left in between by a jump.
    /// `count_known` asks the engines.
    pub fn correct_in_flight(&self, count_known: impl FnOnce() -> u32) {
        let counts = || (self.submitted.0.load(Ordering::Relaxed), self.writer.0.returned());
        let (submitted, returned) = counts();
        let known = u64::from(count_known());
        let is_unchanged = counts() == (submitted, returned);
        if is_unchanged && self.is_used_alone() && !self.has_backlog() && submitted > returned + known {
            let corrected = returned + known;
            let _ = self.submitted.0.compare_exchange(submitted, corrected, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Whether there is room for one request more, beside `queued` that are not noted yet.
    #[inline]
    pub fn has_room(&self, queued: u64) -> bool {
        let ring = self.ring();
        let unread = ring.distance(ring.head(), self.writer.0.tail());
        u64::from(unread) + self.in_flight() + queued < u64::from(ring.nr() - 1)
    }

    // --- Events -------------------------------------------------------------------------------------------------------

    fn target(&self) -> Target<'_, Self> {
        Target { ring: self.ring(), waiters: &self.waiters.0, pool: &self.pool }
    }

    /// Events written so far.
    #[inline]
    pub fn completed(&self) -> u64 {
        self.writer.0.completed(self.ring())
    }

    /// Whether events wait for room in the ring, or for another thread that writes events.
    pub fn has_backlog(&self) -> bool {
        self.writer.0.has_backlog()
    }

    /// Writes the event of an iocb that was done at once. True: waiters must be [woken](Context::word).
    #[inline]
    pub fn complete(&self, event: &Event) -> bool {
        self.writer.0.complete(&self.target(), event)
    }

    /// Writes the event of a request and takes the request back. True: waiters must be [woken](Context::word).
    ///
    /// # Safety
    /// request-is-owned, by the caller, which gives it up; it is of this context's pool, and its operation was written.
    pub unsafe fn complete_request(&self, request: core::ptr::NonNull<Request>) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.writer.0.complete_request(&self.target(), request) }
    }

    // --- Waiters ------------------------------------------------------------------------------------------------------

    /// The word that waiters sleep on. It has changed when they must be woken.
    pub fn word(&self) -> &AtomicU32 {
        self.waiters.0.word()
    }

    /// The caller is about to sleep on [`Context::word`], which it has read before, until there have been `completed`
    /// events. False: there have been as many.
    pub fn begin_wait(&self, completed: u64) -> bool {
        self.waiters.0.begin(completed, || self.completed())
    }

    /// Sleeps for a while, or until another event has come.
    pub fn await_event(&self, wait: Duration) {
        // Acquire pairs with the AcqRel in `Waiters::wake_all`.
        let seen = self.word().load(Ordering::Acquire);
        if self.begin_wait(self.completed() + 1) {
            let _ = futex::wait(self.word(), seen, Deadline::after(wait));
        }
    }

    /// Wakes all waiters, to look again.
    pub fn wake_all(&self) {
        self.waiters.0.wake_all();
        futex::wake_all(self.word());
    }

    // --- Reapers ------------------------------------------------------------------------------------------------------

    /// Whether the ring holds no event.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ring().head() == self.writer.0.tail()
    }

    /// Whether a ring that begins anew looks the same to the program: this one is at its start, or no event was ever taken
    /// but by calls. (A program that takes events itself may remember where it was.)
    pub fn may_begin_anew(&self) -> bool {
        self.is_empty() && (self.writer.0.tail() == 0 || self.reaped.load(Ordering::Relaxed) == self.completed())
    }

    /// Moves up to `most` events to `to`, and says how many.
    ///
    /// # Errors
    /// `EFAULT`: `to` cannot be written, and every event is still in the ring.
    pub fn take(&self, to: usize, most: usize) -> Result<usize, Errno> {
        if most == 0 || (self.is_empty() && !self.fill_from_backlog()) {
            return Ok(0);
        }
        let hold = self.reaping.0.take_or_share();
        let taken = self.move_events(to, most);
        if hold == Hold::Own {
            self.reaping.0.release();
        }
        if self.has_backlog() && self.writer.0.write_backlog(&self.target()) {
            futex::wake_all(self.word());
        }
        taken
    }

    /// The ring is empty. Whether it has events after the backlog was written: the thread that was to write it may have left
    /// by a jump, or needs a moment.
    fn fill_from_backlog(&self) -> bool {
        for _ in 0..BACKLOG_LOOKS {
            if !self.has_backlog() {
                break;
            }
            if self.writer.0.write_backlog(&self.target()) {
                futex::wake_all(self.word());
            }
            if !self.is_empty() {
                break;
            }
            futex::sleep_50us();
        }
        !self.is_empty()
    }

    /// A handler may leave this call by a jump at any point. It finds whole events in the array, `object` being written last,
    /// and all others in the ring. (Between its last store and the move of the head an event is in both.) A handler that comes
    /// back may have taken events itself: then the head is elsewhere, and what was written to the array last is not this
    /// call's. (It would be missed if the handler had taken exactly as many events as the ring has slots, or twice as many.)
    fn move_events(&self, to: usize, most: usize) -> Result<usize, Errno> {
        let ring = self.ring();
        let mut at = ring.head();
        let room = most.min(ring.distance(at, self.writer.0.shown_tail(ring)) as usize);
        user_access::writable(to, room * size_of::<Event>())?;
        let mut count = 0;
        while count < room && at != self.writer.0.shown_tail(ring) {
            let event = ring.read(at);
            // SAFETY: seen to be writable; the program's array need not be aligned.
            unsafe { event.write_object_last((to as *mut Event).add(count)) };
            compiler_fence(Ordering::SeqCst);
            match ring.move_head(at) {
                Ok(next) => {
                    at = next;
                    count += 1;
                }
                Err(elsewhere) => at = elsewhere,
            }
            compiler_fence(Ordering::SeqCst);
        }
        // Relaxed: compared by a thread that is alone.
        self.reaped.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
