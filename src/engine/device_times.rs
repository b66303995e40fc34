//! How fast devices have shown themselves to be, as the engine on io_uring sees it: the best of some requests that it
//! timed.
//!
//! A device that completes requests immediately (zram, pmem, a RAM disk) shows it even through a worker of the
//! kernel's, of which io_uring needs one there: no disk is as fast.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Devices that are told apart; more share.
pub const DEVICES: usize = 255;

/// Requests of which the best counts.
const WINDOW: u64 = 32;

/// A request that takes no longer was not waited for: a hop over a worker takes some 10 µs, the fastest flash 50 µs.
const IMMEDIATE_NS: u64 = 35_000;

/// What was seen of one device.
struct Times {
    /// The best of the window in the upper 48 bits, how many there were in the lower 16.
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
    let count = (window & 0xffff) + 1;
    if count < WINDOW {
        times.window.store(best << 16 | count, Ordering::Relaxed);
        return;
    }
    times.is_immediate.store(best <= IMMEDIATE_NS, Ordering::Relaxed);
    times.window.store(u64::MAX << 16, Ordering::Relaxed);
}

/// It is known of the device otherwise whether it completes requests immediately.
pub fn set_immediate(device: u8, is_immediate: bool) {
    TIMES[device as usize % DEVICES].is_immediate.store(is_immediate, Ordering::Relaxed);
}

/// Whether the device completes requests immediately.
#[inline]
#[must_use]
pub fn is_immediate(device: u8) -> bool {
    TIMES[device as usize % DEVICES].is_immediate.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::{WINDOW, is_immediate, note};

    #[test]
    fn the_best_of_a_window_counts() {
        const DEVICE: u8 = 254;
        for round in 0..WINDOW {
            assert!(!is_immediate(DEVICE));
            note(DEVICE, if round == 5 { 20_000 } else { 400_000 });
        }
        assert!(is_immediate(DEVICE));
        for _ in 0..WINDOW {
            note(DEVICE, 90_000);
        }
        assert!(!is_immediate(DEVICE));
    }
}
