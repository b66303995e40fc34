//! What a device has shown, and what follows for requests on files that are open with `O_DIRECT`: on one that completes them
//! immediately a plain call in the calling thread is the shortest way by far, as the kernel's own AIO does it there too.
//!
//! That a device is so is learnt where io_uring serves it ([`crate::engine::device_times`]), and by libaio from its first
//! request on the device, which is done in `io_submit` and timed. From then on requests are done in
//! place and timed. Two in a row that take long (the device has changed, or stalls; one alone may have lost its processor) send
//! those after them back to io_uring for a while, which learns anew.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::engine::device_times::{self, DEVICES};
use crate::host::kernel;

/// A request in place that takes longer was waited for.
const WAITED_NS: u64 = 60_000;

/// The largest request whose time says something about its device.
pub const MAX_TRIAL_BYTES: usize = 16 << 10;

/// How long requests go to io_uring after one was waited for. Doubled each time, at most so often.
const FIRST_PAUSE_NS: u64 = 100_000_000;
const MAX_DOUBLINGS: u32 = 7;

/// After so long without a stall the next pause is the first again.
const FORGET_NS: u64 = 1_000_000_000;

/// Whether a request was ever done in place on a device to see how long it takes.
static TRIED: [AtomicBool; DEVICES] = [const { AtomicBool::new(false) }; DEVICES];

struct Breaker {
    /// Open until this time of the monotonic clock.
    until: AtomicU64,
    /// Requests in a row that were waited for.
    slow: AtomicU32,
    /// How often it opened since requests were last done in place for long.
    openings: AtomicU32,
}

/// Requests in a row that open it.
const SLOW_IN_A_ROW: u32 = 2;

static BREAKERS: [Breaker; DEVICES] =
    [const { Breaker { until: AtomicU64::new(0), slow: AtomicU32::new(0), openings: AtomicU32::new(0) } }; DEVICES];

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

/// Whether nothing is known of a device.
#[inline]
#[must_use]
pub fn is_unknown(device: u8) -> bool {
    !TRIED[device as usize % DEVICES].load(Ordering::Relaxed) && !device_times::is_immediate(device)
}

/// Does the first request on a device in place, to see how long it takes. `moved` says whether its answer shows that the
/// device was asked.
pub fn tried<T>(device: u8, transfer: impl FnOnce() -> T, moved: impl FnOnce(&T) -> bool) -> T {
    let start = kernel::now();
    let answer = transfer();
    let took = kernel::now() - start;
    if moved(&answer) {
        TRIED[device as usize % DEVICES].store(true, Ordering::Relaxed);
        device_times::set_immediate(device, took <= WAITED_NS);
    }
    answer
}

/// Does a request on such a device, and takes note of how long it took.
pub fn timed<T>(device: u8, transfer: impl FnOnce() -> T) -> T {
    let start = kernel::now();
    let answer = transfer();
    let end = kernel::now();
    let breaker = &BREAKERS[device as usize % DEVICES];
    if end - start <= WAITED_NS {
        if breaker.slow.load(Ordering::Relaxed) != 0 {
            breaker.slow.store(0, Ordering::Relaxed);
        }
        return answer;
    }
    if breaker.slow.fetch_add(1, Ordering::Relaxed) + 1 >= SLOW_IN_A_ROW {
        breaker.slow.store(0, Ordering::Relaxed);
        let last = breaker.until.load(Ordering::Relaxed);
        let is_new = end.saturating_sub(last) > FORGET_NS;
        let openings = if is_new { 0 } else { breaker.openings.load(Ordering::Relaxed) + 1 };
        breaker.openings.store(openings, Ordering::Relaxed);
        breaker.until.store(end + (FIRST_PAUSE_NS << openings.min(MAX_DOUBLINGS)), Ordering::Relaxed);
    }
    answer
}

/// A small number for a device, by its device number. Different devices may share one.
#[must_use]
pub const fn number(device: u64) -> u8 {
    (device.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as u8
}
