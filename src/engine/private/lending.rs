//! A thread that waits for other threads' operations lends them its ring: while it sleeps there, they lay operations on its
//! desk and wake it, and it submits them. The engine's thread has no part in it, neither before nor after.
//!
//! Whatever lies on a desk can be given to the engine instead. That is done by whoever must know that the kernel has what was
//! submitted before ([`settle`]), by the watch where the thread does not come, and at the thread's end.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::TABLE;
use super::desk::{ASLEEP, Laid};
use super::inbox;
use super::ring::Ring;
use super::watch::{self, Pace};
use crate::engine::operation::Operation;
use crate::engine::started;
use crate::host::futex;
use crate::host::signals;
use crate::host::thread::{self, Uncancelled};

/// How often a [`settle`] looks, 50 µs apart, for a thread that is submitting what it took.
const PATIENCE: u32 = 20_000;

/// What was seen of a desk at the last look.
pub(super) struct Seen {
    visits: AtomicU32,
    laid: AtomicBool,
}

impl Seen {
    pub const fn new() -> Self {
        Self { visits: AtomicU32::new(0), laid: AtomicBool::new(false) }
    }
}

/// Operations on desks, or in hand.
static AT_DESK: AtomicU32 = AtomicU32::new(0);

impl Ring {
    /// Lets the ring's thread, which is about to [wait](Ring::wait) in it, be woken by what others hand over, and by a change of
    /// `word`, which it has `seen`. False: it cannot.
    pub fn open_desk(&'static self, word: &'static AtomicU32, seen: u32) -> bool {
        self.desk.fall_asleep();
        let watched = self.watch_words([(word, seen), (self.desk.bell(), ASLEEP)]);
        if watched {
            self.desk.open();
        }
        watched
    }

    /// The ring's thread goes. If it is back soon, its desk stays open meanwhile, and this is true.
    pub fn leave_desk(&self) -> bool {
        if !self.absence.begin() {
            return false;
        }
        self.desk.leave();
        true
    }

    /// The ring's thread is back.
    pub fn come_back(&self) {
        self.absence.end();
    }

    /// Whether something was handed over.
    pub fn has_been_handed(&self) -> bool {
        self.desk.has_any()
    }

    /// Nobody hands anything over from here on; what was goes to `submit`, which passes all of it on. Whether there was any;
    /// and whether a signal handler of the program's has run at the end of it.
    pub fn close_desk(&'static self, submit: impl FnOnce(Handed)) -> (bool, bool) {
        self.desk_visits.store(self.desk_visits.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        if self.desk.close() { (false, false) } else { self.empty_desk(submit) }
    }

    /// Signals wait meanwhile: a handler could leave for good with what is in hand, or wait for it. And so does a cancellation,
    /// which needs no signal: before glibc 2.34 a thread ends where it [may be cancelled](Uncancelled) again, as at the end of
    /// collecting what has completed.
    fn empty_desk(&self, submit: impl FnOnce(Handed)) -> (bool, bool) {
        let whole = Uncancelled::begin();
        let blocked = thread::block_all_departures();
        let newest = self.desk.take().map_or(ptr::null_mut(), NonNull::as_ptr);
        // SAFETY: what was taken is this thread's alone.
        let handed = Handed(unsafe { inbox::oldest_first(newest) });
        let count = handed.clone().count() as u32;
        if count > 0 {
            submit(handed);
        }
        self.desk.put_away();
        // Release pairs with the Acquire of `settle`: the kernel has them, or the engine.
        AT_DESK.fetch_sub(count, Ordering::Release);
        let waiting = thread::pending_signals() & !blocked;
        let interrupted = waiting != 0 && signals::any_handled(waiting);
        // First: a cancellation's signal that finds it forbidden does nothing, and does not come again.
        drop(whole);
        thread::restore_signals(&blocked);
        (count > 0, interrupted)
    }

    /// Hands an operation to the ring's thread, if it sleeps there. False: it does not. Any thread may.
    pub fn hand(&self, operation: NonNull<Operation>) -> bool {
        // Before it lies there: who knows that it was handed over sees the count.
        AT_DESK.fetch_add(1, Ordering::Relaxed);
        let laid = self.desk.lay(operation);
        match laid {
            Laid::No => {
                AT_DESK.fetch_sub(1, Ordering::Relaxed);
                return false;
            }
            // (All: a ring that was here before may still be on its way out, with its wait.)
            Laid::MustWake => futex::wake_all(self.desk.bell()),
            Laid::Coming | Laid::Left => {}
        }
        // The fence of `lay` pairs with that of the watch: either it sees what lies there, or we see that nobody watches.
        watch::begin(if laid == Laid::Left { Pace::Desks } else { Pace::Rings });
        true
    }

    /// Gives the engine what has lain on the desk while the ring's thread did not come there, however busy it is with the ring
    /// itself. Whether nothing lies there, and nothing has happened.
    pub(super) fn look_after_desk(&self, seen: &Seen) -> bool {
        let (visits, laid) = (self.desk_visits.load(Ordering::Relaxed), self.has_been_handed());
        let came = seen.visits.swap(visits, Ordering::Relaxed) != visits;
        if seen.laid.swap(laid, Ordering::Relaxed) && laid && !came {
            if self.desk.is_left() {
                self.absence.miss();
            }
            self.clear_desk();
        }
        !laid && !came
    }

    /// The ring's thread ends, or has ended: nobody hands anything over from here on, and what was goes to the engine.
    pub(super) fn shut_desk(&self) {
        if !self.desk.close() {
            self.clear_desk();
        }
    }

    /// Gives the engine what lies on the desk, if anything does; then it is closed from here on. Async-signal-safe.
    pub fn clear_desk(&self) {
        if self.desk.has_any() {
            self.empty_desk(|handed| {
                let Some(engine) = started() else { return };
                for operation in handed {
                    // SAFETY: as whoever handed it over promised.
                    unsafe { engine.submit(operation) };
                }
            });
        }
    }
}

/// What was handed over, oldest first.
#[derive(Clone)]
pub struct Handed(Option<NonNull<Operation>>);

impl Iterator for Handed {
    type Item = NonNull<Operation>;

    fn next(&mut self) -> Option<NonNull<Operation>> {
        let this = self.0?;
        // SAFETY: taken from a desk, and not passed on yet.
        self.0 = unsafe { inbox::next(this) };
        Some(this)
    }
}

/// Returns when the kernel has what was handed over before, or the engine. One load where nothing is. Async-signal-safe.
pub fn settle() {
    // Whoever has handed something over has seen the count, and so has whoever knows from him that he did. Acquire pairs with
    // the Release of `close_desk`.
    if AT_DESK.load(Ordering::Acquire) == 0 {
        return;
    }
    let Some(table) = TABLE.get().filter(|table| table.is_ours()) else { return };
    let me = thread::pointer();
    for ring in &table.rings {
        ring.clear_desk();
        let mut looks = 0;
        // What this very thread has in hand it waits for in vain: it is submitting it.
        while !ring.desk.is_clear() && looks < PATIENCE && !ring.belongs_to(me) {
            if looks < 100 {
                core::hint::spin_loop();
            } else {
                futex::linger();
                ring.clear_desk();
            }
            looks += 1;
        }
    }
}
