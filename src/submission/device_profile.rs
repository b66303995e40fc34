//! What a device has shown, and what follows for requests on files that are open with `O_DIRECT`: on one that completes them
//! immediately a plain call in the calling thread is the shortest way by far, as the kernel's own AIO does it there too.
//!
//! That a device is so is learnt where io_uring serves it ([`crate::engine::device_times`]). From then on requests are done in
//! place and timed. One that takes long (the device has changed, or stalls) sends those after it back to io_uring for a
//! while, which learns anew: so a call blocks once for as long as one request takes, and not again.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::engine::device_times::{self, DEVICES};
use crate::host::kernel;

/// A request in place that takes longer was waited for.
const WAITED_NS: u64 = 200_000;

/// How long requests go to io_uring after one was waited for. Doubled each time, at most so often.
const FIRST_PAUSE_NS: u64 = 100_000_000;
const MAX_DOUBLINGS: u32 = 7;

struct Breaker {
    /// Open until this time of the monotonic clock.
    until: AtomicU64,
    stalls: AtomicU32,
}

static BREAKERS: [Breaker; DEVICES] =
    [const { Breaker { until: AtomicU64::new(0), stalls: AtomicU32::new(0) } }; DEVICES];

/// Whether `O_DIRECT` requests on this device are done in the calling thread at present.
#[inline]
#[must_use]
pub fn completes_immediately(device: u8) -> bool {
    device_times::is_immediate(device) && is_closed(device)
}

#[cold]
fn is_closed(device: u8) -> bool {
    // Relaxed here and below: a thread that sees an old value tries once more than it should.
    kernel::now() >= BREAKERS[device as usize % DEVICES].until.load(Ordering::Relaxed)
}

/// Does a request on such a device, and takes note of how long it took.
pub fn timed<T>(device: u8, transfer: impl FnOnce() -> T) -> T {
    let start = kernel::now();
    let answer = transfer();
    let end = kernel::now();
    if end - start > WAITED_NS {
        let breaker = &BREAKERS[device as usize % DEVICES];
        let stalls = breaker.stalls.fetch_add(1, Ordering::Relaxed);
        breaker.until.store(end + (FIRST_PAUSE_NS << stalls.min(MAX_DOUBLINGS)), Ordering::Relaxed);
    }
    answer
}

/// A small number for a device, by its device number. Different devices may share one.
#[must_use]
pub const fn number(device: u64) -> u8 {
    (device.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as u8
}
