//! Whether the engine's thread may sleep without being notified of submissions: a timed wait.
//!
//! In an armed wait the thread is woken for each submission, and again for its completion. With many operations in
//! flight on a fast device the next completion is only microseconds away, and comes with an interrupt anyway. So the
//! thread stays awake as far as submitters know, waits for the completion or a short time, and takes along what was
//! submitted meanwhile.

use crate::host::kernel;

/// The longest timed wait: what a submission may lose if no completion comes.
const MAX_WAIT_NS: u64 = 100_000;

/// Longer intervals count as this one.
const MAX_INTERVAL_NS: u64 = 10_000_000;

/// With fewer in flight there is no timed wait.
const MIN_IN_FLIGHT: usize = 6;

/// Watches how fast completions come.
pub struct SleepPolicy {
    /// The time of the last completions, in nanoseconds.
    last: u64,
    /// Nanoseconds from one completion to the next, smoothed.
    interval: u64,
    /// The last timed wait ended without a completion.
    missed: bool,
}

impl SleepPolicy {
    /// Knows nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { last: 0, interval: MAX_INTERVAL_NS, missed: false }
    }

    /// Takes note of `completed` completions at this moment, after a timed wait or another.
    pub fn note(&mut self, completed: u32, timed: bool) {
        if completed == 0 {
            self.missed |= timed;
            return;
        }
        self.missed = false;
        let now = kernel::now();
        let each = (now - self.last).min(MAX_INTERVAL_NS) / u64::from(completed);
        self.last = now;
        self.interval = self.interval - self.interval / 8 + each / 8;
    }

    /// How long the thread may wait, in nanoseconds, with this many operations in flight.
    #[must_use]
    pub fn timed_wait_ns(&self, in_flight: usize) -> Option<u32> {
        (in_flight >= MIN_IN_FLIGHT && !self.missed && self.interval < MAX_WAIT_NS / 3).then_some(MAX_WAIT_NS as u32)
    }
}
