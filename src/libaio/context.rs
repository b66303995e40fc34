//! A context: its ring, what is in flight, who sleeps in it, and who takes events out of it. How they get in: `producers`.
//!
//! Contexts are never freed but used again, so that a caller who comes too late finds an address that is not his and
//! nothing worse. Three kinds of threads meet here, each on cache lines of its own: submitters, producers of events (the
//! engine's thread, and submitters whose request was done at once), and reapers.
//!
//! **Room** is counted as fs/aio.c does: an event that has not been read occupies what its request did. Requests are
//! counted where they are submitted, and where they complete; what is in the ring follows from the latter and the head.
//!
//! **Sleepers** say how many completions there must have been for them to wake: `wake_at` is the least of them.

mod producers;

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;

use producers::Producers;

use super::event_ring::{Event, EventRing};
use super::habit::Habit;
use super::request::{Pool, Request};
use super::sleepers::Sleepers;
use super::turn::Turn;
use crate::host::futex::{self, Deadline};
use crate::host::kernel::Errno;

/// In [`Context::users`]: the one who destroys the context waits for the others to leave.
const AWAITED: u32 = 1 << 31;

/// How long a call may be in the midst of what takes a microsecond.
const LONG: Duration = Duration::from_secs(2);

/// Puts what follows onto a cache line of its own.
#[repr(align(64))]
pub struct Line<T>(pub T);

struct Submitters {
    submitted: AtomicU64,
    /// Submissions up to this count are known to have room.
    limit: AtomicU64,
}

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
    /// Calls that use the context.
    users: Line<AtomicU32>,
    submitters: Line<Submitters>,
    producers: Line<Producers>,
    sleepers: Line<Sleepers>,
    /// The reapers' lock.
    reaping: Line<Turn>,
    /// Which threads use it, and how.
    pub habit: Line<Habit>,
    /// Its requests.
    pub pool: Pool,
}

// SAFETY: the ring is changed only while the context is not in use; all else is atomic.
unsafe impl Sync for Context {}
// SAFETY: nothing in it belongs to a thread.
unsafe impl Send for Context {}

/// A context in use by a call, which cannot be taken apart meanwhile.
pub struct Used(&'static Context);

impl core::ops::Deref for Used {
    type Target = Context;
    fn deref(&self) -> &Context {
        self.0
    }
}

impl Drop for Used {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Used {
    /// Does what may take long without holding up `io_destroy`: a signal handler may even leave the call, by `siglongjmp` or
    /// with the thread, and never come back.
    ///
    /// # Errors
    /// `EINVAL`: the context was destroyed meanwhile, and is not to be touched any more.
    pub fn away<T>(&self, what: impl FnOnce() -> T) -> Result<T, Errno> {
        let context = self.0;
        let life = context.life.load(Ordering::Relaxed);
        context.leave();
        let done = what();
        // SeqCst as in `enter`.
        context.users.0.fetch_add(1, Ordering::SeqCst);
        let gone = context.dead.load(Ordering::SeqCst) || context.life.load(Ordering::SeqCst) != life;
        if gone { Err(Errno(libc::EINVAL)) } else { Ok(done) }
    }

    /// The context itself, for whoever knows that it stays: one with a request in flight does.
    #[must_use]
    pub fn context(&self) -> &'static Context {
        self.0
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
            users: Line(AtomicU32::new(0)),
            submitters: Line(Submitters { submitted: AtomicU64::new(0), limit: AtomicU64::new(0) }),
            producers: Line(Producers::new()),
            sleepers: Line(Sleepers::new()),
            reaping: Line(Turn::new()),
            habit: Line(Habit::new()),
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
        self.submitters.0.submitted.store(0, Ordering::Relaxed);
        self.submitters.0.limit.store(0, Ordering::Relaxed);
        self.producers.0.reset();
        self.sleepers.0.reset();
        self.habit.0.reset();
        self.reaping.0.release();
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
    pub fn enter(&'static self, address: usize) -> Option<Used> {
        // SeqCst here and in `close`: either we see that it is being destroyed, or the destroyer sees us.
        self.users.0.fetch_add(1, Ordering::SeqCst);
        let used = Used(self);
        (self.address.load(Ordering::SeqCst) == address && !self.dead.load(Ordering::SeqCst)).then_some(used)
    }

    fn leave(&self) {
        // Release pairs with the Acquire of `close`: what we did with the ring is done.
        if self.users.0.fetch_sub(1, Ordering::AcqRel) & AWAITED != 0 {
            futex::wake_all(&raw const self.users.0);
        }
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
        self.stir();
        true
    }

    /// Waits until no other call uses the context, which the caller has [killed](Context::kill) and uses. False: one does not
    /// end. It was left by a `siglongjmp` in a signal handler, or with the thread; or else it may still touch everything.
    pub fn await_users(&self) -> bool {
        let deadline = Deadline::after(LONG);
        let mut users = self.users.0.fetch_or(AWAITED, Ordering::SeqCst) | AWAITED;
        while users != AWAITED | 1 && deadline.left() != Some(0) {
            let _ = futex::wait(&self.users.0, users, deadline);
            users = self.users.0.load(Ordering::SeqCst);
        }
        // Latecomers, who find the context dead, need wake nobody.
        self.users.0.fetch_and(!AWAITED, Ordering::SeqCst);
        users == AWAITED | 1
    }

    /// Whether everything submitted has completed.
    pub fn is_idle(&self) -> bool {
        self.completed() >= self.submitters.0.submitted.load(Ordering::Relaxed)
    }

    /// Requests that are submitted and have not completed.
    pub fn in_flight(&self) -> u64 {
        self.submitters.0.submitted.load(Ordering::Relaxed).saturating_sub(self.completed())
    }

    /// Waits until everything submitted has completed, for so long. Whether it has.
    pub fn await_requests(&self, patience: Duration) -> bool {
        let deadline = Deadline::after(patience);
        loop {
            let seen = self.word().load(Ordering::Acquire);
            let all = self.submitters.0.submitted.load(Ordering::Relaxed);
            if !self.sleep_until(all) {
                break;
            }
            if futex::wait(self.word(), seen, deadline) == Err(Errno(libc::ETIMEDOUT)) {
                return false;
            }
        }
        // The last producer may still be on his way out.
        while self.is_being_written() {
            futex::linger();
        }
        true
    }

    /// Gives back the ring; the context is not in use any more.
    ///
    /// # Safety
    /// The caller has killed it, and waited for users and requests.
    pub unsafe fn close(&self) -> EventRing {
        self.address.store(0, Ordering::SeqCst);
        self.pool.free_all();
        // SAFETY: nobody looks at it any more.
        unsafe { core::mem::replace(&mut *self.ring.get(), EventRing::NONE) }
    }

    // --- Room ---------------------------------------------------------------------------------------------------------

    /// Reserves room for up to `wanted` requests, and says for how many.
    #[inline]
    pub fn reserve(&self, wanted: u32) -> u32 {
        let line = &self.submitters.0;
        let mut submitted = line.submitted.load(Ordering::Relaxed);
        loop {
            let mut limit = line.limit.load(Ordering::Relaxed);
            if submitted + u64::from(wanted) > limit {
                limit = self.find_limit();
                line.limit.store(limit, Ordering::Relaxed);
            }
            let got = limit.saturating_sub(submitted).min(u64::from(wanted));
            if got == 0 {
                return 0;
            }
            // Relaxed: a count. The slots it stands for are handed over by head (Acquire in `find_limit`).
            match line.submitted.compare_exchange_weak(submitted, submitted + got, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return got as u32,
                Err(now) => submitted = now,
            }
        }
    }

    /// Gives back what was reserved and not used.
    pub fn unreserve(&self, count: u32) {
        if count > 0 {
            self.submitters.0.submitted.fetch_sub(u64::from(count), Ordering::Relaxed);
        }
    }

    /// How many requests may have been submitted in all: as many as have completed and been read, and a ring full.
    fn find_limit(&self) -> u64 {
        let ring = self.ring();
        // The head before and after: one that has moved on meanwhile, by a ring's length perhaps, says nothing of this tail.
        let (head, completed) = loop {
            let (head, completed) = (ring.head(), self.completed());
            if ring.head() == head {
                break (head, completed);
            }
        };
        let tail = (completed % u64::from(ring.nr())) as u32;
        completed + u64::from(ring.nr() - 1) - u64::from(distance(ring, head, tail))
    }

    // --- Sleepers -----------------------------------------------------------------------------------------------------

    /// What sleepers sleep on. They are to be woken, all, when it has been said so.
    pub fn word(&self) -> &AtomicU32 {
        self.sleepers.0.word()
    }

    /// The caller is about to sleep until there have been `completed` events, on [`Context::word`], which he has read
    /// before. False: there have been as many.
    pub fn sleep_until(&self, completed: u64) -> bool {
        self.sleepers.0.begin(completed, || self.completed())
    }

    /// The only one who reaps here, and was about to [sleep](Context::sleep_until) until there have been `completed` events, looks
    /// by himself: what he lets complete need not wake him.
    pub fn sleep_no_more(&self, completed: u64) {
        self.sleepers.0.end(completed);
        if self.is_dead() || !self.has_one_reaper() {
            self.stir();
        }
    }

    /// Wakes all who sleep, to look again.
    pub fn stir(&self) {
        if self.sleepers.0.rouse() {
            futex::wake_all(self.word());
        }
    }

    // --- Reapers ------------------------------------------------------------------------------------------------------

    /// Whether no event is there to be read.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ring().head() == self.tail()
    }

    fn tail(&self) -> u32 {
        self.producers.0.tail.load(Ordering::Acquire)
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
        taken
    }

    fn take_locked(&self, to: usize, most: usize) -> Result<usize, Errno> {
        let ring = self.ring();
        let (head, tail) = (ring.head(), self.tail());
        let count = most.min(distance(ring, head, tail) as usize);
        super::memory::writable(to, count * size_of::<Event>())?;
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
