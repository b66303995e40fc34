//! How a thread that lends its ring is away from it: whether it comes back so soon, time and again, that its desk may stay open
//! meanwhile. What lies there then waits for the thread, and for nobody else.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::host::kernel;

/// An absence no longer than this, in nanoseconds, is short.
const SHORT: u64 = 100_000;

/// Short absences in a row after which the next is taken to be short.
const STEADY: u32 = 32;

/// For how many absences the desk stays closed after something had to be taken from it: at first, and at most. It doubles each time.
const FIRST_CLOSED: u32 = 128;
const MOST_CLOSED: u32 = 1 << 20;

/// What is known of a thread's absences. All fields but the last are that thread's alone; Relaxed throughout.
pub struct Absence {
    /// When it began; 0 while there is none.
    since: AtomicU64,
    short: AtomicU32,
    closed: AtomicU32,
    next_closed: AtomicU32,
    /// Somebody had to take what lay there.
    missed: AtomicBool,
}

impl Absence {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            since: AtomicU64::new(0),
            short: AtomicU32::new(0),
            closed: AtomicU32::new(0),
            next_closed: AtomicU32::new(FIRST_CLOSED),
            missed: AtomicBool::new(false),
        }
    }

    /// Begins anew.
    pub fn reset(&self) {
        self.since.store(0, Ordering::Relaxed);
        self.short.store(0, Ordering::Relaxed);
        self.closed.store(0, Ordering::Relaxed);
        self.next_closed.store(FIRST_CLOSED, Ordering::Relaxed);
        self.missed.store(false, Ordering::Relaxed);
    }

    /// The thread goes. Whether it is back soon, as far as can be known.
    #[inline]
    pub fn begin(&self) -> bool {
        self.since.store(kernel::now(), Ordering::Relaxed);
        if self.missed.load(Ordering::Relaxed) {
            self.missed.store(false, Ordering::Relaxed);
            let closed = self.next_closed.load(Ordering::Relaxed);
            self.closed.store(closed, Ordering::Relaxed);
            self.next_closed.store((closed * 2).min(MOST_CLOSED), Ordering::Relaxed);
        }
        let closed = self.closed.load(Ordering::Relaxed);
        if closed > 0 {
            self.closed.store(closed - 1, Ordering::Relaxed);
            return false;
        }
        self.short.load(Ordering::Relaxed) >= STEADY
    }

    /// The thread is back.
    #[inline]
    pub fn end(&self) {
        let since = self.since.load(Ordering::Relaxed);
        if since == 0 {
            return;
        }
        self.since.store(0, Ordering::Relaxed);
        let short = self.short.load(Ordering::Relaxed);
        let was_short = kernel::now().saturating_sub(since) <= SHORT;
        self.short.store(if was_short { (short + 1).min(STEADY) } else { 0 }, Ordering::Relaxed);
    }

    /// It was not back soon enough. By any thread.
    pub fn miss(&self) {
        self.missed.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Absence, FIRST_CLOSED, STEADY};

    fn is_away_for_a_moment(absence: &Absence) -> bool {
        let soon = absence.begin();
        absence.end();
        soon
    }

    #[test]
    fn who_was_missed_has_to_show_it_again() {
        let absence = Absence::new();
        for _ in 0..STEADY {
            assert!(!is_away_for_a_moment(&absence));
        }
        assert!(is_away_for_a_moment(&absence));
        for closed in [FIRST_CLOSED, 2 * FIRST_CLOSED] {
            absence.miss();
            for _ in 0..closed {
                assert!(!is_away_for_a_moment(&absence));
            }
            assert!(is_away_for_a_moment(&absence));
        }
    }
}
