//! What a device has shown, and what follows for requests on files that are open with `O_DIRECT`: on one that completes them
//! immediately a plain call in the calling thread is the shortest way by far, as the kernel's own AIO does it there too.
//!
//! That a device is so says its driver's name, or is learnt where io_uring serves it ([`crate::engine::device_times`]). From
//! then on requests are done in place and timed. Two in a row that take long (the device has changed, or stalls; one alone may
//! have lost its processor) send those after them back to io_uring for a while, which learns anew.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::engine::device_times::{self, DEVICES};
use crate::host::file_systems;
use crate::host::kernel::{self, syscall};
use crate::host::path::Path;

/// A request in place that takes longer was waited for.
const WAITED_NS: u64 = 60_000;

/// How long requests go to io_uring after some were waited for. Doubled each time, at most so often.
const FIRST_PAUSE_NS: u64 = 100_000_000;
const MAX_DOUBLINGS: u32 = 7;

/// After so long without a stall the next pause is the first again.
const FORGET_NS: u64 = 1_000_000_000;

/// Whether the driver of a device was looked up.
static LOOKED_UP: [AtomicBool; DEVICES] = [const { AtomicBool::new(false) }; DEVICES];

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

/// A small number for the device with this device number. Different devices may share one. What its name says of it is
/// looked up once. Async-signal-safe.
pub fn number(device: u64) -> u8 {
    let number = ((device.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % DEVICES) as u8;
    let slot = number as usize;
    if !LOOKED_UP[slot].swap(true, Ordering::Relaxed) && is_in_memory(device) {
        device_times::set_immediate(number, true);
    }
    number
}

/// Whether the block device with this number has a driver that keeps everything in memory, by the name that sysfs gives it.
fn is_in_memory(device: u64) -> bool {
    let (major, minor) = (libc::major(device), libc::minor(device));
    let Some(path) = Path::of(format_args!("/sys/dev/block/{major}:{minor}")) else { return false };
    let mut link = [0u8; 256];
    // SAFETY: reads a C string and writes into the buffer.
    let length =
        unsafe { syscall!(libc::SYS_readlinkat, libc::AT_FDCWD, path.as_ptr(), link.as_mut_ptr(), link.len()) };
    let name = length.ok().and_then(|length| core::str::from_utf8(&link[..length]).ok()).unwrap_or_default();
    file_systems::is_device_in_memory(name.rsplit('/').next().unwrap_or_default())
}
