//! A breaker: transfers are done in the calling thread until they turn out to wait there; then an engine does them for a
//! while.
//!
//! A transfer that takes long has waited, or its thread has only lost its processor to another one, which says nothing of
//! the device and is common on a busy machine. So one that took long only raises suspicion: the next ones are watched
//! closely, and one of them opens the breaker if it takes long and the thread gave up its processor by itself. One that
//! takes as long as no thread waits for a processor opens it at once, so that a device that stalls holds up one call.
//!
//! What is not watched closely is timed by the kernel's coarse clock, at a fifth of the price of the exact one. It goes by
//! ticks of 1 to 10 ms: what waits longer than that is seen at once, and of shorter waits the one that a tick falls into.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::host::{kernel, this_thread};

/// [`Limits::stall_ns`] of a machine that runs programs.
pub const STALL_NS: u64 = 50_000_000;

/// When a breaker opens, and for how long.
pub struct Limits {
    /// A transfer that takes longer may have waited.
    pub slow_ns: u64,
    /// A transfer that takes longer has waited: a thread that can run gets a processor sooner than that.
    pub stall_ns: u64,
    /// Transfers that are watched closely after one that took long.
    pub watched: u32,
    /// How long it stays open. Doubled where one of the transfers that are watched after that opens it again, at most so often.
    pub pause_ns: u64,
    /// See [`Limits::pause_ns`].
    pub max_doublings: u32,
}

/// A breaker.
pub struct Breaker {
    limits: Limits,
    /// Open until this time of the monotonic clock; 0: closed.
    until: AtomicU64,
    /// Transfers that are still to be watched closely.
    watched: AtomicU32,
    /// By how much the next pause is longer than the first, as a power of two.
    doublings: AtomicU32,
}

// Relaxed throughout: a thread that sees an old value does one transfer more in the caller, or watches one more closely.
impl Breaker {
    /// A breaker that is closed.
    pub const fn new(limits: Limits) -> Self {
        Self { limits, until: AtomicU64::new(0), watched: AtomicU32::new(0), doublings: AtomicU32::new(0) }
    }

    /// The same; the first transfers are watched closely.
    pub const fn suspicious(limits: Limits) -> Self {
        let watched = AtomicU32::new(limits.watched);
        Self { watched, ..Self::new(limits) }
    }

    /// Whether transfers are done in the calling thread at present.
    #[inline]
    pub fn is_closed(&self) -> bool {
        let until = self.until.load(Ordering::Relaxed);
        until == 0 || self.closes(until)
    }

    /// Whether a transfer has opened it and none has found it closed since.
    #[inline]
    pub fn has_opened(&self) -> bool {
        self.until.load(Ordering::Relaxed) != 0
    }

    #[cold]
    fn closes(&self, until: u64) -> bool {
        let is_over = kernel::now() >= until;
        if is_over {
            // Fails if another thread has opened it anew.
            let _ = self.until.compare_exchange(until, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
        is_over
    }

    /// Does a transfer in the calling thread, and takes note of whether it waited.
    #[inline]
    pub fn watch<T>(&self, transfer: impl FnOnce() -> T) -> T {
        if self.watched.load(Ordering::Relaxed) != 0 {
            return self.watch_closely(transfer);
        }
        let start = kernel::coarse_now();
        let answer = transfer();
        let took = kernel::coarse_now().saturating_sub(start);
        if took > self.limits.slow_ns {
            self.suspect(took);
        }
        answer
    }

    /// A transfer took long.
    #[cold]
    fn suspect(&self, took_ns: u64) {
        if took_ns > self.limits.stall_ns {
            self.open(kernel::now());
        } else {
            self.watched.store(self.limits.watched, Ordering::Relaxed);
        }
    }

    #[cold]
    fn watch_closely<T>(&self, transfer: impl FnOnce() -> T) -> T {
        let (switches, start) = (this_thread::voluntary_switches(), kernel::now());
        let answer = transfer();
        let end = kernel::now();
        let took_long = end.saturating_sub(start) > self.limits.slow_ns;
        if took_long && (switches.is_none() || switches != this_thread::voluntary_switches()) {
            self.open(end);
        } else {
            let left = self.watched.load(Ordering::Relaxed).saturating_sub(1);
            self.watched.store(left, Ordering::Relaxed);
            if left == 0 {
                self.doublings.store(0, Ordering::Relaxed);
            }
        }
        answer
    }

    /// Opens it; the first transfers after that are watched closely.
    fn open(&self, now: u64) {
        let doublings = self.doublings.load(Ordering::Relaxed);
        self.doublings.store((doublings + 1).min(self.limits.max_doublings), Ordering::Relaxed);
        self.watched.store(self.limits.watched, Ordering::Relaxed);
        self.until.store(now + (self.limits.pause_ns << doublings), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Breaker, Limits, STALL_NS};

    /// Without a stall: beside other tests a thread may wait for a processor as long as it likes.
    const LIMITS: Limits =
        Limits { slow_ns: 5_000_000, stall_ns: u64::MAX, watched: 2, pause_ns: 50_000_000, max_doublings: 1 };
    const LONG: Duration = Duration::from_millis(30);

    #[test]
    fn what_waits_opens_it_for_a_while() {
        let breaker = Breaker::new(LIMITS);
        breaker.watch(|| std::thread::sleep(LONG));
        assert!(breaker.is_closed());
        let before = Instant::now();
        breaker.watch(|| std::thread::sleep(LONG));
        while !breaker.is_closed() {
            std::thread::yield_now();
        }
        assert!(before.elapsed() >= LONG + Duration::from_nanos(LIMITS.pause_ns));
        // Still under suspicion.
        breaker.watch(|| std::thread::sleep(LONG));
        assert!(breaker.has_opened());
    }

    #[test]
    fn what_stalls_opens_it_at_once() {
        let breaker = Breaker::new(Limits { stall_ns: STALL_NS, ..LIMITS });
        breaker.watch(|| std::thread::sleep(4 * LONG));
        assert!(breaker.has_opened());
    }

    #[test]
    #[cfg_attr(miri, ignore = "it needs the kernel")]
    fn what_computes_does_not() {
        let breaker = Breaker::new(LIMITS);
        for _ in 0..4 {
            let begun = Instant::now();
            breaker.watch(|| while begun.elapsed() < LONG {});
            assert!(breaker.is_closed());
        }
    }
}
