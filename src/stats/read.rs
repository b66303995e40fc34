//! Reading the counters, inside the process that they belong to.

use core::ffi::c_int;

use super::counter_block as block;
use super::kinds::Lane;
use super::layout::{LATENCIES, uringaio_counters};
use crate::host::kernel;

/// The counters of this process, as they are now. Other threads count meanwhile, so numbers that belong together may differ by
/// what is just happening.
#[must_use]
pub fn read() -> uringaio_counters {
    uringaio_counters::from_words(&block::totals())
}

/// How long operations of a lane took, as far as they were timed; see [`super::layout::LATENCIES`].
#[must_use]
pub fn latencies(lane: Lane) -> [u64; LATENCIES] {
    block::latencies(lane as usize)
}

/// Whether this process has found what serves it.
#[must_use]
pub fn has_begun() -> bool {
    block::has_begun(kernel::process_id() as u32)
}

/// What serves this process: 0 the system's own AIO or nothing yet, 1 io_uring, 2 threads.
#[must_use]
pub fn serves() -> c_int {
    block::BLOCK.serves() as c_int
}
