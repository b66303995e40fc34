//! How fast devices have shown themselves to be, as the engine on io_uring sees it, by requests that it timed.
//!
//! A device that completes requests immediately (zram, pmem, a RAM disk) shows it even through a worker of the
//! kernel's, of which io_uring needs one there: no disk is as fast, except now and then for one request, as on a virtual
//! machine whose host has the block in memory. (Measured: of requests on zram 83 % take no longer than
//! [`IMMEDIATE_NS`] with one in flight and 7 % with 32, on such a disk 1 % at most.)

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::stats;

/// Devices that are told apart; more share.
pub const DEVICES: usize = stats::layout::DEVICES;

/// Requests that are judged together.
const WINDOW: u64 = 32;

/// Of these, so many immediate ones show that the device is.
const ENOUGH: u64 = 6;

/// A request that takes no longer was not waited for: a hop over a worker takes some 10 µs, the fastest flash 50 µs.
const IMMEDIATE_NS: u64 = 35_000;

/// What was seen of one device.
struct Times {
    /// Of the window: the best in the upper 48 bits, how many were immediate in the next 8, how many there were in the last 8.
    window: AtomicU64,
    is_immediate: AtomicBool,
}

static TIMES: [Times; DEVICES] =
    [const { Times { window: AtomicU64::new(u64::MAX << 16), is_immediate: AtomicBool::new(false) } }; DEVICES];

/// A request on a device took so long. By the engine's thread alone; Relaxed: each word is a fact by itself.
pub fn note(device: u8, nanoseconds: u64) {
    let times = &TIMES[device as usize % DEVICES];
    let window = times.window.load(Ordering::Relaxed);
    let best = (window >> 16).min(nanoseconds.min(u64::MAX >> 16));
    let immediate = (window >> 8 & 0xff) + u64::from(nanoseconds <= IMMEDIATE_NS);
    let count = (window & 0xff) + 1;
    if count < WINDOW {
        times.window.store(best << 16 | immediate << 8 | count, Ordering::Relaxed);
        return;
    }
    let is_immediate = immediate >= ENOUGH;
    times.is_immediate.store(is_immediate, Ordering::Relaxed);
    stats::device_timed(device, best, is_immediate);
    times.window.store(u64::MAX << 16, Ordering::Relaxed);
}

/// It is known of the device otherwise whether it completes requests immediately.
pub fn set_immediate(device: u8, is_immediate: bool) {
    TIMES[device as usize % DEVICES].is_immediate.store(is_immediate, Ordering::Relaxed);
}

/// Nothing is known of the device, as at the beginning.
#[cfg(test)]
pub fn forget(device: u8) {
    TIMES[device as usize % DEVICES].window.store(u64::MAX << 16, Ordering::Relaxed);
    set_immediate(device, false);
}

/// Whether the device completes requests immediately.
#[inline]
#[must_use]
pub fn is_immediate(device: u8) -> bool {
    TIMES[device as usize % DEVICES].is_immediate.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::{ENOUGH, WINDOW, is_immediate, note};

    const DEVICE: u8 = 254;

    /// A window in which so many requests are immediate.
    fn window(immediate: u64) {
        for request in 0..WINDOW {
            note(DEVICE, if request < immediate { 20_000 } else { 400_000 });
        }
    }

    #[test]
    fn some_immediate_requests_show_a_device_that_is() {
        window(ENOUGH - 1);
        assert!(!is_immediate(DEVICE));
        window(ENOUGH);
        assert!(is_immediate(DEVICE));
        window(0);
        assert!(!is_immediate(DEVICE));
    }
}
