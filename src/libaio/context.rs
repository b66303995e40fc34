//! A context: its ring, what is in flight, who sleeps in it, and who takes events out of it. How they get in: `event_writer`.
//!
//! Contexts are never freed but used again, so that a caller who comes too late finds an address that is not its own and
//! nothing worse. Three kinds of threads meet here, each on cache lines of its own: submitters, writers of events (the
//! engines' threads, and submitters whose request was done at once), and reapers. Any of them may be taken away from a call
//! by a jump: nothing here is left in a state that the next caller could not go on from.
//!
//! **Room** is counted as fs/aio.c does: an event that has not been read occupies what its request did.
//!
//! **Waiters** say how many completions there must have been for them to wake: `wake_at` is the least of them.
//!
//! **The kernel** may carry a context from some point on ([`super::carriage`]): then its own ring lies at the address, and
//! nothing in here but the address is used any more.

mod event_writer;
mod users;

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;

use event_writer::EventWriter;
use users::{Entry, Users};

use super::abandonable_lock::AbandonableLock;
use super::carriage::Carriage;
use super::event_ring::{Event, EventRing};
use super::request::{Pool, Request};
use super::waiters::Waiters;
use crate::engine::Engines;
use crate::host::futex::{self, Deadline};
use crate::host::kernel::Errno;

/// Puts what follows onto a cache line of its own.
#[repr(align(64))]
pub struct CacheLine<T>(pub T);

/// A context.
#[repr(C)]
pub struct Context {
    /// The program's mapping of the ring; 0 while the context is not in use.
    address: AtomicUsize,
    /// Set when the context is being destroyed.
    dead: AtomicBool,
    /// How often it was opened.
    life: AtomicU32,
    ring: UnsafeCell<EventRing>,
    /// What was asked of `io_setup`.
    pub requested: AtomicU32,
    /// Who carries its requests.
    pub carriage: Carriage,
    users: CacheLine<Users>,
    /// Requests that went to the engines.
    handed_on: CacheLine<AtomicU64>,
    writer: CacheLine<EventWriter>,
    waiters: CacheLine<Waiters>,
    /// The reapers' lock.
    reaping: CacheLine<AbandonableLock>,
    /// Its requests.
    pub pool: Pool,
}

// SAFETY: the ring is changed only while the context is not in use; all else is atomic.
unsafe impl Sync for Context {}
// SAFETY: nothing in it belongs to a thread.
unsafe impl Send for Context {}

/// A context in use by a call, which cannot be taken apart meanwhile.
pub struct Used {
    context: &'static Context,
    entry: Entry,
}

impl core::ops::Deref for Used {
    type Target = Context;
    fn deref(&self) -> &Context {
        self.context
    }
}

impl Drop for Used {
    fn drop(&mut self) {
        self.context.users.0.leave(self.entry);
    }
}

impl Used {
    /// Does what may take long without holding up `io_destroy`: a signal handler may even leave the call, by `siglongjmp` or
    /// with the thread, and never come back.
    ///
    /// # Errors
    /// `EINVAL`: the context was destroyed meanwhile, and is not to be touched any more.
    pub fn away<T>(&mut self, what: impl FnOnce() -> T) -> Result<T, Errno> {
        let context = self.context;
        let life = context.life.load(Ordering::Relaxed);
        context.users.0.leave(self.entry);
        let done = what();
        self.entry = context.users.0.enter();
        let gone = context.dead.load(Ordering::SeqCst) || context.life.load(Ordering::SeqCst) != life;
        if gone { Err(Errno(libc::EINVAL)) } else { Ok(done) }
    }

    /// The context itself, for whoever knows that it stays: one with a request in flight does.
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
            dead: AtomicBool::new(false),
            life: AtomicU32::new(0),
            ring: UnsafeCell::new(EventRing::NONE),
            requested: AtomicU32::new(0),
            carriage: Carriage::new(),
            users: CacheLine(Users::new()),
            handed_on: CacheLine(AtomicU64::new(0)),
            writer: CacheLine(EventWriter::new()),
            waiters: CacheLine(Waiters::new()),
            reaping: CacheLine(AbandonableLock::new()),
            pool: Pool::new(),
        }
    }

    /// Begins to use the context for `ring`, of which the program has a mapping at `address`.
    ///
    /// # Safety
    /// The context is not in use, and the caller alone may begin to use it.
    pub unsafe fn open(&self, ring: EventRing, address: usize, requested: u32) {
        // SAFETY: nobody looks at the ring of a context that is not in use.
        unsafe { *self.ring.get() = ring };
        self.requested.store(requested, Ordering::Relaxed);
        self.handed_on.0.store(0, Ordering::Relaxed);
        self.writer.0.reset();
        self.waiters.0.reset();
        self.users.0.reset();
        self.carriage.reset();
        self.life.fetch_add(1, Ordering::Relaxed);
        self.dead.store(false, Ordering::Relaxed);
        // SeqCst pairs with `enter`, which must not see the address without the above.
        self.address.store(address, Ordering::SeqCst);
    }

    /// The address by which the program knows it.
    pub fn address(&self) -> usize {
        self.address.load(Ordering::Relaxed)
    }

    /// The program has moved its mapping.
    pub fn set_address(&self, address: usize) {
        self.address.store(address, Ordering::SeqCst);
    }

    /// Uses the context, if it is the one at `address`.
    #[inline]
    pub fn enter(&'static self, address: usize) -> Option<Used> {
        // SeqCst in `Users::enter`: either we see that it is being destroyed, or the destroyer sees us.
        let used = Used { context: self, entry: self.users.0.enter() };
        (self.address.load(Ordering::SeqCst) == address && !self.dead.load(Ordering::SeqCst)).then_some(used)
    }

    /// The ring.
    pub fn ring(&self) -> &EventRing {
        // SAFETY: changed only while the context is not in use, and our callers use it, or have a request in flight.
        unsafe { &*self.ring.get() }
    }

    /// Whether it is being destroyed.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Marks the context as dead and wakes who sleeps in it. False if somebody else has.
    pub fn kill(&self) -> bool {
        if self.dead.swap(true, Ordering::SeqCst) {
            return false;
        }
        self.wake_all();
        true
    }

    /// Waits until no other call uses the context, which the caller has [killed](Context::kill) and uses. False: one does not
    /// end.
    pub fn await_users(&self) -> bool {
        self.users.0.await_others()
    }

    /// Whether the calling thread is the only one in a call on the context.
    pub fn is_used_alone(&self) -> bool {
        self.users.0.is_alone()
    }

    /// Requests that are with the engines, or complete and wait for room in the ring.
    #[inline]
    pub fn in_flight(&self) -> u64 {
        let returned = self.writer.0.returned();
        self.handed_on.0.load(Ordering::Relaxed).saturating_sub(returned)
    }

    /// Whether nothing is in flight.
    pub fn is_idle(&self) -> bool {
        self.in_flight() == 0 && !self.has_backlog()
    }

    /// Notes that so many requests are about to go to the engines.
    #[inline]
    pub fn hand_on(&self, count: u64) {
        // Relaxed: a count; the requests carry themselves.
        self.handed_on.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Takes back requests that were noted, and that the engines know nothing of: their calls were left in between.
    pub fn correct_in_flight(&self, engines: Engines) {
        let (handed_on, returned) = (self.handed_on.0.load(Ordering::Relaxed), self.writer.0.returned());
        let known = u64::from(engines.count(super::cancel::all_of(self)));
        let is_unchanged =
            handed_on == self.handed_on.0.load(Ordering::Relaxed) && returned == self.writer.0.returned();
        if is_unchanged && self.is_used_alone() && !self.has_backlog() && handed_on > returned + known {
            let corrected = returned + known;
            let _ = self.handed_on.0.compare_exchange(handed_on, corrected, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Sleeps for a while, or until more events have come.
    pub fn await_event(&self, wait: Duration) {
        let seen = self.word().load(Ordering::Acquire);
        if self.sleep_until(self.completed() + 1) {
            let _ = futex::wait(self.word(), seen, Deadline::after(wait));
        }
    }

    /// Gives back the ring; the context is not in use any more.
    ///
    /// # Safety
    /// The caller has killed it, and waited for users and requests.
    pub unsafe fn close(&self) -> EventRing {
        self.address.store(0, Ordering::SeqCst);
        self.pool.free_all(Request::forget);
        // SAFETY: nobody looks at it any more.
        unsafe { core::mem::replace(&mut *self.ring.get(), EventRing::NONE) }
    }

    // --- Room ---------------------------------------------------------------------------------------------------------

    /// Whether there is room for one request more, beside `queued` that are not noted yet.
    #[inline]
    pub fn has_room(&self, queued: u64) -> bool {
        let ring = self.ring();
        let unread = distance(ring, ring.head(), self.writer.0.tail());
        u64::from(unread) + self.in_flight() + queued < u64::from(ring.nr() - 1)
    }

    // --- Waiters -----------------------------------------------------------------------------------------------------

    /// What waiters sleep on. They are to be woken, all, when it has been said so.
    pub fn word(&self) -> &AtomicU32 {
        self.waiters.0.word()
    }

    /// The caller is about to sleep until there have been `completed` events, on [`Context::word`], which he has read
    /// before. False: there have been as many.
    pub fn sleep_until(&self, completed: u64) -> bool {
        self.waiters.0.begin(completed, || self.completed())
    }

    /// Wakes all who sleep, to look again.
    pub fn wake_all(&self) {
        if self.waiters.0.wake_all() {
            futex::wake_all(self.word());
        }
    }

    // --- Reapers ------------------------------------------------------------------------------------------------------

    /// Whether no event is there to be read.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ring().head() == self.writer.0.tail()
    }

    /// Moves up to `most` events to `to`, and says how many.
    ///
    /// # Errors
    /// `EFAULT`: `to` cannot be written, and every event is still in the ring. `EINTR`: the caller is a signal handler that
    /// interrupted this very function.
    pub fn take(&self, to: usize, most: usize) -> Result<usize, Errno> {
        if most == 0 || self.is_empty() {
            return Ok(0);
        }
        self.reaping.0.take()?;
        let taken = self.take_locked(to, most);
        self.reaping.0.release();
        if self.has_backlog() && self.write_backlog() {
            futex::wake_all(self.word());
        }
        taken
    }

    fn take_locked(&self, to: usize, most: usize) -> Result<usize, Errno> {
        let ring = self.ring();
        let (head, tail) = (ring.head(), self.writer.0.tail());
        let count = most.min(distance(ring, head, tail) as usize);
        super::user_access::writable(to, count * size_of::<Event>())?;
        let mut at = head;
        for index in 0..count {
            let event = ring.read(at);
            // SAFETY: seen to be writable; the program's array need not be aligned.
            unsafe { (to as *mut Event).add(index).write_unaligned(event) };
            at = ring.after(at);
        }
        ring.set_head(at);
        Ok(count)
    }
}

/// Slots from `from` to `to`.
fn distance(ring: &EventRing, from: u32, to: u32) -> u32 {
    if to >= from { to - from } else { to + ring.nr() - from }
}

const _: () = {
    // Requests are told from one another by their addresses, and markers in the low bits.
    assert!(align_of::<Request>() >= 8);
};
