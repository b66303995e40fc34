//! One private ring: what its thread does with it, and what others may.
//!
//! Its thread submits in [batches](Batch), [collects](Ring::collect) what has completed and [waits](Ring::wait). A signal
//! handler of the program's that interrupts a batch finds the ring [busy](Ring::begin) and takes another way; collecting can
//! be interrupted by collecting at any point, because each completion is claimed by one exchange.

mod place;
mod width;

use core::ptr::{self, NonNull};
use core::sync::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence,
};
use core::time::Duration;

use super::absence::Absence;
use super::batch::Batch;
use super::desk::Desk;
use super::parts::{On, Parts};
use super::{Proof, rescue};
use crate::engine::bare::Bare;
use crate::engine::operation::Operation;
use crate::engine::{Wakes, started};
use crate::host::futex::{self, Deadline};
use crate::host::kernel::{self, Errno};
use crate::host::memory;
use crate::host::thread::{SignalSet, Uncancelled};
use crate::stats::{self, Lane};

/// Words that a ring can wait on at the same time.
const WORDS: usize = 6;

/// How long a thread sleeps in its ring without a look at what it waits for: a signal handler may have finished just that
/// between the last look and the sleep, and then nothing would wake it.
const GLANCE: Duration = Duration::from_millis(20);

/// How long completions may wait for the thread while others ask after them, in nanoseconds: it may be on its way.
const PATIENCE: u64 = 2_000_000;

/// Bytes of an operation and of what a face keeps behind it.
const WITH_ITS_REQUEST: usize = size_of::<Operation>() + 64;

/// Marks the user data of a wait on a word; an operation's is its address, which has a 0 there.
pub(super) const WORD: u64 = 1;

/// A ring, or a place for one.
pub struct Ring {
    /// The thread, by its thread pointer; 0 for a free place.
    owner: AtomicUsize,
    /// Its number.
    thread: AtomicI32,
    /// There is a ring.
    alive: AtomicBool,
    /// A box, or nothing.
    parts: AtomicPtr<Parts>,
    /// Other threads that look at it.
    visitors: AtomicU32,
    /// The thread is in the midst of a batch.
    pub(super) busy: AtomicBool,
    /// Operations submitted and not finished.
    pub(super) in_flight: AtomicU32,
    /// Whether that is more than it is made for; see `width`.
    width: AtomicU8,
    /// Counts what the thread does with it.
    visits: AtomicU32,
    /// Counts how often it was fetched.
    fetched: AtomicU32,
    /// It takes no more operations.
    retired: AtomicBool,
    /// How many wait for it to have nothing under way.
    held: AtomicU16,
    /// Operations that it was given have gone to the engine.
    pub(super) strayed: AtomicBool,
    /// The kernel refuses it.
    lost: AtomicBool,
    /// What the thread has shown by requests of its own, for a face that has no better place for it.
    pub proof: Proof,
    /// Since when others ask after completions that wait for the thread; 0 if nobody does.
    nudged: AtomicU64,
    /// Until when the thread sleeps in the ring at the longest, in nanoseconds; 0 while it does not. A time, because a signal
    /// handler may leave the sleep by `siglongjmp`.
    waits: AtomicU64,
    /// Signals sent to the thread, counted as [`Ring::times_fetched`] will.
    sent: AtomicU32,
    /// The words that it waits on.
    pub(super) armed: [AtomicPtr<AtomicU32>; WORDS],
    /// Where others lay what they submit while the thread sleeps.
    pub(super) desk: Desk<Operation>,
    /// Counts how often the thread was at its desk.
    pub(super) desk_visits: AtomicU32,
    pub(super) absence: Absence,
}

impl Ring {
    pub(super) const fn new() -> Self {
        Self {
            owner: AtomicUsize::new(0),
            thread: AtomicI32::new(0),
            alive: AtomicBool::new(false),
            parts: AtomicPtr::new(ptr::null_mut()),
            visitors: AtomicU32::new(0),
            busy: AtomicBool::new(false),
            in_flight: AtomicU32::new(0),
            width: AtomicU8::new(0),
            visits: AtomicU32::new(0),
            fetched: AtomicU32::new(0),
            retired: AtomicBool::new(false),
            held: AtomicU16::new(0),
            strayed: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            proof: Proof::new(),
            nudged: AtomicU64::new(0),
            waits: AtomicU64::new(0),
            sent: AtomicU32::new(0),
            armed: [const { AtomicPtr::new(ptr::null_mut()) }; WORDS],
            desk: Desk::new(),
            desk_visits: AtomicU32::new(0),
            absence: Absence::new(),
        }
    }

    /// Lets another thread look at the ring, which stays meanwhile.
    fn visit<T>(&self, look: impl FnOnce(&Parts) -> T) -> Option<T> {
        // SeqCst here and in `take_apart`: either we see that it is gone, or it is seen that we look.
        self.visitors.fetch_add(1, Ordering::SeqCst);
        let seen = if self.alive.load(Ordering::SeqCst) { self.parts().map(look) } else { None };
        self.visitors.fetch_sub(1, Ordering::SeqCst);
        seen
    }

    pub(super) fn parts(&self) -> Option<&Parts> {
        // Acquire pairs with the Release of whoever made them: they are whole.
        let parts = self.parts.load(Ordering::Acquire);
        // SAFETY: a box, and callers are the ring's thread, or visitors: it is freed when there is neither.
        unsafe { parts.as_ref() }
    }

    fn bare(&self) -> Option<&Bare> {
        self.parts().map(|parts| &parts.bare)
    }

    // --- What anybody may ask -----------------------------------------------------------------------------------------

    /// Operations that are submitted and not finished.
    #[inline]
    pub fn in_flight(&self) -> u32 {
        // Acquire pairs with the Release of `finished`: what has ended is seen to have ended.
        self.in_flight.load(Ordering::Acquire)
    }

    /// Whether it takes operations.
    #[inline]
    pub fn is_in_use(&self) -> bool {
        self.alive.load(Ordering::Relaxed) && !self.retired.load(Ordering::Relaxed)
    }

    /// Whether there is a ring.
    pub(super) fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Relaxed)
    }

    /// It takes no more operations.
    pub fn retire(&self) {
        self.retired.store(true, Ordering::SeqCst);
    }

    /// It takes no operations until [`Ring::let_go`]: somebody waits for those under way, and shall not wait for ever. What its
    /// thread submits meanwhile goes another way.
    pub(super) fn hold(&self) {
        self.held.fetch_add(1, Ordering::Relaxed);
    }

    /// It takes operations again, if nobody else holds it.
    pub(super) fn let_go(&self) {
        self.held.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether it takes no more operations, ever.
    #[inline]
    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Relaxed)
    }

    /// Another thread asks after an operation of this ring, without waiting for it: if completions have waited for the ring's
    /// thread for a while, it is sent for, once. Async-signal-safe.
    pub fn nudge(&self) {
        if !self.has_work() || self.is_waited_in() {
            self.nudged.store(0, Ordering::Relaxed);
            return;
        }
        let now = kernel::now();
        let since = self.nudged.load(Ordering::Relaxed);
        if since == 0 {
            self.nudged.store(now, Ordering::Relaxed);
        } else if now.saturating_sub(since) > PATIENCE {
            if !super::are_ours() {
                return;
            }
            self.retire();
            let next = self.fetched.load(Ordering::Relaxed).wrapping_add(1);
            if self.sent.swap(next, Ordering::Relaxed) != next {
                rescue::send_or_adopt(self);
            }
        }
    }

    /// Whether operations that it was given may be with the engine: rarely, and for good once it is so.
    #[inline]
    pub fn has_strays(&self) -> bool {
        self.strayed.load(Ordering::Relaxed)
    }

    /// Whether its thread sleeps in it.
    pub(super) fn is_waited_in(&self) -> bool {
        let until = self.waits.load(Ordering::Relaxed);
        until != 0 && kernel::now() < until
    }

    pub(super) fn thread(&self) -> i32 {
        self.thread.load(Ordering::Relaxed)
    }

    pub(super) fn visits(&self) -> u32 {
        self.visits.load(Ordering::Relaxed)
    }

    pub(super) fn times_fetched(&self) -> u32 {
        self.fetched.load(Ordering::Relaxed)
    }

    /// Whether completions wait for the thread.
    pub(super) fn has_work(&self) -> bool {
        self.visit(|parts| parts.bare.has_work()).unwrap_or(false)
    }

    /// Whether an operation on this is under way. Any thread may ask.
    pub(super) fn is_busy_on(&self, what: On) -> bool {
        self.in_flight() > 0
            && self.visit(|parts| parts.slots.all().iter().any(|slot| slot.is_on(what))).unwrap_or(false)
    }

    /// Sends for the thread by its timer.
    pub(super) fn ring_alarm(&self) {
        self.visit(|parts| parts.alarm.ring());
    }

    /// Finishes what the kernel has put into the ring's memory, for a thread that has ended.
    pub(super) fn finish_for_its_thread(&self) {
        self.visit(|parts| self.drain(parts));
    }

    // --- What its thread does -----------------------------------------------------------------------------------------

    /// Begins a batch. None while the thread is in the midst of one, which this call has interrupted.
    #[inline]
    pub fn begin(&'static self) -> Option<Batch> {
        if self.is_outgrown() && !self.widen() { None } else { self.begin_narrow() }
    }

    /// The same, for a ring that may be too narrow.
    #[inline]
    fn begin_narrow(&'static self) -> Option<Batch> {
        // Relaxed: a batch more or less is no matter to those who hold it.
        if self.busy.load(Ordering::Relaxed) || !self.is_in_use() || self.held.load(Ordering::Relaxed) > 0 {
            return None;
        }
        self.busy.store(true, Ordering::Relaxed);
        // A handler on this thread sees the flag before anything of the batch.
        compiler_fence(Ordering::SeqCst);
        Some(Batch::new(self))
    }

    /// Whether the thread is in the midst of a batch.
    pub(super) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed)
    }

    /// Finishes what has completed. Any number of frames of the ring's thread may be at it. How many.
    #[inline]
    pub fn collect(&self) -> u32 {
        match self.parts() {
            Some(parts) if parts.bare.has_completions() => self.drain_whole(parts),
            _ => 0,
        }
    }

    /// The same, and what waits for the thread to enter first: a call for somebody who polls.
    #[inline]
    pub fn poll(&self) -> u32 {
        let Some(parts) = self.parts().filter(|parts| parts.bare.has_work()) else { return 0 };
        if !parts.bare.has_completions() {
            let _ = parts.bare.submit(0).inspect_err(|&errno| self.note(errno));
        }
        self.note_visit();
        self.drain_whole(parts)
    }

    /// Finishes what a [`Ring::wait`] was woken for, and what has come since: the interrupt goes on meanwhile, and most often has
    /// more.
    pub fn gather(&self) {
        self.collect();
        self.poll();
    }

    /// Finishes what is in the completion queue, by a thread that is not cancelled meanwhile: in a handler that has interrupted
    /// a cancellation point, or where the program has it asynchronous. What is claimed would be lost with it.
    fn drain_whole(&self, parts: &Parts) -> u32 {
        let _whole = Uncancelled::begin();
        self.drain(parts)
    }

    /// Finishes what is in the completion queue.
    fn drain(&self, parts: &Parts) -> u32 {
        let mut wakes = Wakes::new();
        let mut count = 0;
        while let Some((data, result)) = parts.bare.claim() {
            if let Some(upcoming) = parts.bare.upcoming() {
                memory::expect(upcoming as usize, WITH_ITS_REQUEST);
            }
            if data & WORD != 0 {
                // (In a ring that was too narrow it is no more.)
                if let Some(word) = self.armed.get((data >> 1) as usize).filter(|_| self.is_made_of(parts)) {
                    word.store(ptr::null_mut(), Ordering::Relaxed);
                }
            // SAFETY: submitted by `Batch::add`, and claimed just now.
            } else if let Some(operation) = unsafe { parts.take_back(data) } {
                // SAFETY: the same, and taken once.
                unsafe { self.finish(operation, result.into(), &mut wakes) };
                count += 1;
            }
        }
        // Release pairs with the Acquire of `in_flight`.
        self.in_flight.fetch_sub(count, Ordering::Release);
        wakes.wake_now();
        count
    }

    /// Lets the ring wait on `word` while it is `seen`, beside its operations: whoever wakes the word ends a [`Ring::wait`].
    /// False: it cannot, for want of room perhaps.
    pub fn watch_word(&'static self, word: &'static AtomicU32, seen: u32) -> bool {
        self.watch_words([(word, seen)])
    }

    /// The same with several.
    pub(super) fn watch_words<const N: usize>(&'static self, words: [(&'static AtomicU32, u32); N]) -> bool {
        if words.iter().all(|(word, _)| self.watches(word)) {
            return true;
        }
        let Some(mut batch) = self.begin_narrow() else { return false };
        let watched = words.into_iter().all(|(word, seen)| batch.watch(word, seen));
        batch.enter();
        watched && words.iter().all(|(word, _)| self.watches(word))
    }

    /// Whether the ring waits on `word`. If it has changed meanwhile, its wake is on the way.
    pub(super) fn watches(&self, word: &AtomicU32) -> bool {
        self.armed.iter().any(|armed| ptr::eq(armed.load(Ordering::Relaxed), word))
    }

    /// Sleeps until `want` completions are there that were not [collected](Ring::collect), a word wakes it, or the deadline;
    /// not longer than a moment, so that the caller looks again.
    /// With `mask` these signals are blocked meanwhile.
    ///
    /// # Errors
    /// `ETIMEDOUT`; `EINTR`: a signal handler of the program's ran.
    pub fn wait(&self, want: u32, deadline: Deadline, mask: Option<&SignalSet>) -> Result<(), Errno> {
        let Some(bare) = self.bare() else { return Ok(()) };
        self.note_visit();
        if self.lost.load(Ordering::Relaxed) {
            // What it has comes in by itself; see `note`.
            futex::nap();
            return Ok(());
        }
        let before = self.fetched.load(Ordering::Relaxed);
        let glance = Deadline::after(GLANCE);
        let (until, last) = if deadline.left() <= glance.left() && deadline != Deadline::Never {
            (deadline, true)
        } else {
            (glance, false)
        };
        self.waits.store(kernel::now() + 2 * GLANCE.as_nanos() as u64, Ordering::Relaxed);
        let waited = bare.wait(want, until, mask);
        self.waits.store(0, Ordering::Relaxed);
        // With some completions there, the kernel does not tell why it ends a wait for more.
        let cut_short = waited == Ok(()) && bare.ready() < want && until.left() != Some(0);
        match waited {
            Ok(()) if cut_short && self.fetched.load(Ordering::Relaxed) == before => Err(Errno(libc::EINTR)),
            Err(Errno(libc::ETIMEDOUT)) if !last => Ok(()),
            Err(Errno(libc::EINTR)) if self.fetched.load(Ordering::Relaxed) != before => Ok(()),
            answer @ (Ok(()) | Err(Errno(libc::EINTR | libc::ETIMEDOUT))) => answer,
            Err(errno) => {
                self.note(errno);
                futex::nap();
                Ok(())
            }
        }
    }

    /// Waits until nothing is under way, and finishes it, but for what a frame that this call has interrupted is about to
    /// finish. Not longer than a device can take.
    pub(super) fn finish_all(&self) {
        let end = Deadline::after(Duration::from_secs(30));
        while self.unclaimed() > 0 {
            // (Not `collect`, at whose end the thread may be cancelled: our own handler blocks the signal for that.)
            self.parts().map(|parts| self.drain(parts));
            let left = self.unclaimed();
            if left > 0 && self.wait(left, end, None) == Err(Errno(libc::ETIMEDOUT)) {
                break;
            }
        }
    }

    /// Operations under way whose completion nobody has claimed; rather one too few than one that never comes.
    fn unclaimed(&self) -> u32 {
        let Some(bare) = self.bare().filter(|_| self.in_flight() > 0) else { return 0 };
        // Waits on words are no operations.
        bare.unclaimed().saturating_sub(self.words()).min(self.in_flight())
    }

    /// Words that it waits on. They are noted before that begins and until after it was claimed.
    fn words(&self) -> u32 {
        self.armed.iter().filter(|armed| !armed.load(Ordering::Relaxed).is_null()).count() as u32
    }

    /// Whether there is room for the completion of one more, with `queued` operations that are not counted yet. For the ring's
    /// thread, within a batch.
    #[inline]
    pub(super) fn has_room(&self, parts: &Parts, queued: u32) -> bool {
        let operations = self.in_flight.load(Ordering::Relaxed) + queued;
        operations + (WORDS as u32) < parts.places() || operations + self.words() < parts.places()
    }

    #[inline]
    pub(super) fn note_visit(&self) {
        self.visits.store(self.visits.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// It was fetched: the thread's own wait goes on.
    pub(super) fn note_fetched(&self) {
        self.fetched.store(self.fetched.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// The kernel has refused something. If it is not for the moment, the ring is given up: once the kernel has no more of
    /// it than the operations under way, these complete into its memory.
    #[cold]
    pub(super) fn note(&self, errno: Errno) {
        if matches!(errno, Errno(libc::EAGAIN | libc::EBUSY | libc::ENOMEM | libc::EINTR | libc::ETIME)) {
            return;
        }
        if self.thread() != kernel::thread_id() {
            // A child of vfork, which is taken for its parent's thread by its thread pointer: the ring is not its own to lose.
            return;
        }
        self.retire();
        if !self.lost.swap(true, Ordering::Relaxed)
            && let Some(bare) = self.bare()
        {
            // SAFETY: callers are the ring's thread.
            unsafe { bare.end() };
        }
    }

    /// Ends an operation: hands it back to its face, or to the engine if it has to be tried again.
    ///
    /// # Safety
    /// The operation was submitted to a ring, and is not finished.
    unsafe fn finish(&self, mut operation: NonNull<Operation>, result: i64, wakes: &mut Wakes) {
        // SAFETY: the caller's promise; from the call of `finish` on it is not touched.
        let this = unsafe { operation.as_mut() };
        let mut result = result;
        let asked = this.rw_flags & libc::RWF_NOWAIT != 0;
        let ended = result == -i64::from(libc::EINTR) || result == -i64::from(libc::ECANCELED);
        if ended || (result == -i64::from(libc::EAGAIN) && !asked) {
            // Nobody asked not to wait, and it was the end of the thread that stopped it: the answer is not for the program.
            match started() {
                Some(engine) if this.has_its_file() => {
                    self.strayed.store(true, Ordering::Relaxed);
                    // SAFETY: as whoever added it promised.
                    return unsafe { engine.submit(operation) };
                }
                _ => result = -i64::from(libc::EIO),
            }
        }
        if let Some(action) = this.kind.action() {
            stats::finished(this.face, action, result);
            stats::timed(Lane::Engine, core::mem::take(&mut this.stamp));
        }
        let finish = this.finish;
        // SAFETY: called once, with what the face submitted.
        unsafe { finish(operation, result, wakes) };
    }
}
