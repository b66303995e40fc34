//! What one program did in an interval: a row of `uringaio top`.

use crate::counters::Snapshot;
use crate::layout::{LATENCIES, percentile};
use crate::programs::Program;

/// Counts a second, but for the last three.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    pub process: libc::pid_t,
    pub name: String,
    /// What the engine is: `io_uring`, `threads`, or `system`.
    pub engine: &'static str,
    pub operations: f64,
    /// Operations that were finished in the calling thread.
    pub in_caller: f64,
    /// Operations that the engine took.
    pub by_engine: f64,
    /// Operations that the kernel's own AIO carried.
    pub kernel_aio: f64,
    pub bytes_read: f64,
    pub bytes_written: f64,
    pub failed: f64,
    /// Within which half of the timed operations, and 99 % of them, were done, in nanoseconds; none where none was timed.
    pub p50: Option<u64>,
    pub p99: Option<u64>,
    /// Operations in flight in the engine, now.
    pub in_flight: u64,
}

impl Rates {
    /// What `program` did from its last reading to `now`, `seconds` later.
    pub fn between(program: &Program, now: &Snapshot, seconds: f64) -> Self {
        let before = &program.snapshot;
        let counted = now.counters.since(&before.counters);
        let rate = |counts: &[u64]| counts.iter().sum::<u64>() as f64 / seconds;
        // The timed operations are a sample of all: both lanes together.
        let latencies: [u64; LATENCIES] = std::array::from_fn(|bucket| {
            let lanes = now.latencies.iter().zip(&before.latencies);
            lanes.map(|(now, before)| now[bucket].saturating_sub(before[bucket])).sum()
        });
        Self {
            process: program.process,
            name: program.name.clone(),
            engine: now.engine(),
            operations: rate(&counted.submitted),
            in_caller: rate(counted.in_caller.as_flattened()),
            by_engine: rate(counted.by_engine.as_flattened()),
            kernel_aio: rate(&counted.kernel_aio),
            bytes_read: rate(&[counted.bytes_read]),
            bytes_written: rate(&[counted.bytes_written]),
            failed: rate(&counted.failed),
            p50: percentile(&latencies, 0.5),
            p99: percentile(&latencies, 0.99),
            in_flight: now.counters.in_flight().iter().sum(),
        }
    }
}
