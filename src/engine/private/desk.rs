//! Where threads leave work for one that sleeps, its keeper: a list, open while the keeper sleeps, that anybody may empty.
//!
//! Only things lie there that nobody has begun with. So where the keeper does not come back to its desk (a signal handler took
//! it somewhere else), or somebody cannot wait until it does, what lies there is taken elsewhere.

use core::ptr::{self, NonNull};

#[cfg(not(loom))]
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering, fence};
#[cfg(loom)]
use loom::sync::atomic::{AtomicPtr, AtomicU32, Ordering, fence};

use super::inbox::Node;

/// The desk of one thread, its keeper.
pub struct Desk<T> {
    /// [`closed`], null for nothing, or the newest of what lies there; the list ends in null.
    newest: AtomicPtr<T>,
    /// Who has something in hand that was taken from there.
    hands: AtomicU32,
    /// What the keeper sleeps on: [`ASLEEP`], [`COMING`] or [`AWAY`].
    bell: AtomicU32,
}

/// The keeper sleeps, or is about to, and is to be woken.
pub const ASLEEP: u32 = 0;
/// It was woken, and has not slept since.
const COMING: u32 = 1;
/// It is elsewhere, and back soon.
const AWAY: u32 = 2;

/// What became of something that was to be laid down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Laid {
    /// It was not: the desk is closed.
    No,
    /// The keeper sleeps: whoever has laid it down wakes it.
    MustWake,
    /// The keeper is coming.
    Coming,
    /// The keeper is elsewhere. Somebody has to look whether it comes.
    Left,
}

/// The keeper does not sleep.
const fn closed<T>() -> *mut T {
    ptr::without_provenance_mut(1)
}

impl<T: Node> Desk<T> {
    /// A closed desk.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new() -> Self {
        Self { newest: AtomicPtr::new(closed()), hands: AtomicU32::new(0), bell: AtomicU32::new(COMING) }
    }

    /// The same; loom's atomics cannot be made by a constant.
    #[cfg(loom)]
    pub fn new() -> Self {
        Self { newest: AtomicPtr::new(closed()), hands: AtomicU32::new(0), bell: AtomicU32::new(COMING) }
    }

    // --- The keeper ---------------------------------------------------------------------------------------------------

    /// The keeper is about to sleep on the bell while it is [`ASLEEP`]. First it [opens](Desk::open) the desk, and looks whether
    /// it [has anything](Desk::has_any).
    pub fn fall_asleep(&self) {
        if self.bell.load(Ordering::Relaxed) != ASLEEP {
            self.bell.store(ASLEEP, Ordering::Relaxed);
            // Pairs with the fence of `lay`: what was laid down before is seen from here on, and what comes later wakes.
            fence(Ordering::SeqCst);
        }
    }

    /// Opens it, if it is not. (It is where a signal handler has led away from an earlier sleep, or interrupts one.)
    pub fn open(&self) {
        // Release pairs with the Acquire of `lay`: what the keeper is at is known.
        let _ = self.newest.compare_exchange(closed(), ptr::null_mut(), Ordering::Release, Ordering::Relaxed);
    }

    /// The keeper goes, and leaves it open until it is back.
    pub fn leave(&self) {
        self.bell.store(AWAY, Ordering::Relaxed);
        self.open();
    }

    /// Closes it. False: something lies there.
    pub fn close(&self) -> bool {
        match self.newest.compare_exchange(ptr::null_mut(), closed(), Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => true,
            Err(newest) => newest == closed(),
        }
    }

    // --- Everybody else -----------------------------------------------------------------------------------------------

    /// What the keeper sleeps on.
    pub fn bell(&self) -> &AtomicU32 {
        &self.bell
    }

    /// Whether the keeper was elsewhere the last time that it opened the desk.
    pub fn is_left(&self) -> bool {
        self.bell.load(Ordering::Relaxed) == AWAY
    }

    /// Lays something down, if it is open.
    #[must_use]
    pub fn lay(&self, it: NonNull<T>) -> Laid {
        let mut newest = self.newest.load(Ordering::Relaxed);
        loop {
            if newest == closed() {
                return Laid::No;
            }
            // SAFETY: the caller's own, not visible yet. Relaxed: published by the exchange.
            unsafe { it.as_ref() }.link().store(newest, Ordering::Relaxed);
            // Release pairs with the Acquire of `take`: who takes it sees it whole. Acquire pairs with the Release of `open`.
            match self.newest.compare_exchange_weak(newest, it.as_ptr(), Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => newest = now,
            }
        }
        // Pairs with the fence of `fall_asleep`, and with that of whoever looks whether something lies there.
        fence(Ordering::SeqCst);
        match self.bell.compare_exchange(ASLEEP, COMING, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Laid::MustWake,
            Err(AWAY) => Laid::Left,
            Err(_) => Laid::Coming,
        }
    }

    /// Whether something lies there.
    pub fn has_any(&self) -> bool {
        let newest = self.newest.load(Ordering::Relaxed);
        !newest.is_null() && newest != closed()
    }

    /// Closes it and takes what lies there, newest first. When that has gone its way, or nothing was
    /// there, it is to be [said](Desk::put_away).
    pub fn take(&self) -> Option<NonNull<T>> {
        self.hands.fetch_add(1, Ordering::Relaxed);
        // Acquire pairs with the Release of `lay`. Release pairs with the Acquire of `is_clear`: whoever finds a thing gone finds
        // that somebody has it.
        let newest = self.newest.swap(closed(), Ordering::AcqRel);
        if newest == closed() { None } else { NonNull::new(newest) }
    }

    /// What was taken has gone its way.
    pub fn put_away(&self) {
        // Release pairs with the Acquire of `is_clear`.
        self.hands.fetch_sub(1, Ordering::Release);
    }

    /// Whether what has lain there has gone its way, as far as it was laid down before.
    pub fn is_clear(&self) -> bool {
        // Acquire pairs with the Release of `take`: every change since is an exchange, and carries it on.
        let newest = self.newest.load(Ordering::Acquire);
        (newest.is_null() || newest == closed()) && self.hands.load(Ordering::Acquire) == 0
    }
}
