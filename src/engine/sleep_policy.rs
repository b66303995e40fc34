//! Whether the engine's thread may sleep without being rung for.
//!
//! A thread that sleeps soundly must be woken for each submission, and again for its completion. With many operations in
//! flight on a fast device the next completion is only microseconds away, and comes with an interrupt anyway: so the thread
//! leaves word that it is awake, dozes until the completion or a short time, and takes along what was submitted meanwhile.

use crate::host::kernel;

/// The longest doze: what a submission may lose if no completion comes.
const LONGEST: u64 = 100_000;

/// An interval that counts as slow, whatever it is (10 ms).
const SLOWEST: u64 = 10_000_000;

/// From this many in flight on.
const DEEP: usize = 6;

/// Watches how fast completions come.
pub struct SleepPolicy {
    last: u64,
    /// Nanoseconds from one completion to the next, smoothed.
    interval: u64,
    missed: bool,
}

impl SleepPolicy {
    /// Knows nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { last: 0, interval: SLOWEST, missed: false }
    }

    /// Takes note of `completed` completions at this moment, after a doze or not.
    pub fn note(&mut self, completed: u32, timed: bool) {
        if completed == 0 {
            self.missed |= timed;
            return;
        }
        self.missed = false;
        let now = kernel::now();
        let each = (now - self.last).min(SLOWEST) / u64::from(completed);
        self.last = now;
        self.interval = self.interval - self.interval / 8 + each / 8;
    }

    /// How long the thread may doze, in nanoseconds, with this many operations in flight.
    #[must_use]
    pub fn timed_wait_ns(&self, in_flight: usize) -> Option<u32> {
        (in_flight >= DEEP && !self.missed && self.interval < LONGEST / 3).then_some(LONGEST as u32)
    }
}
