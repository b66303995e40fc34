//! How long reads take through the page cache of files that cannot be tried without waiting (overlayfs, FUSE, NFS, …), as the
//! workers see it, by device.
//!
//! A read that finds its bytes in memory takes a microsecond or two, one that does not at least ten times as long. Where nearly
//! all of some reads in a row were as quick as that, a worker costs more than it can gain.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use super::device_times::DEVICES;

/// Reads that are judged together.
const WINDOW: u32 = 32;

/// Of these, so many quick ones show that reads are quick: the others' threads may have lost their processor.
const ENOUGH: u32 = 28;

/// A read that takes no longer, besides its copy, found everything in memory.
pub const QUICK_NS: u64 = 10_000;

/// A copy moves so many bytes in a nanosecond at least.
const COPY_BYTES_PER_NS: u64 = 4;

// What is known of the reads on a device.
const NOTHING: u8 = 0;
const QUICK: u8 = 1;
const SLOW: u8 = 2;

/// What was seen of one device.
struct Times {
    /// Of the window: how many were quick in the upper half, how many there were in the lower.
    window: AtomicU32,
    known: AtomicU8,
}

static TIMES: [Times; DEVICES] =
    [const { Times { window: AtomicU32::new(0), known: AtomicU8::new(NOTHING) } }; DEVICES];

fn times(device: u8) -> &'static Times {
    &TIMES[device as usize % DEVICES]
}

/// A read of so many bytes on a device has taken so long. By any worker; Relaxed: what two of them note at once may count as one.
pub fn note(device: u8, bytes: u64, nanoseconds: u64) {
    let times = times(device);
    let window = times.window.load(Ordering::Relaxed);
    let quick = (window >> 16) + u32::from(nanoseconds <= QUICK_NS + bytes / COPY_BYTES_PER_NS);
    let count = (window & 0xffff) + 1;
    if count < WINDOW {
        times.window.store(quick << 16 | count, Ordering::Relaxed);
        return;
    }
    times.window.store(0, Ordering::Relaxed);
    times.known.store(if quick >= ENOUGH { QUICK } else { SLOW }, Ordering::Relaxed);
}

/// They are not quick, as the calling thread has seen.
pub fn set_slow(device: u8) {
    let times = times(device);
    times.window.store(0, Ordering::Relaxed);
    times.known.store(SLOW, Ordering::Relaxed);
}

/// Whether nearly all of the last reads on a device were quick; `assumed` where none is known.
#[inline]
#[must_use]
pub fn are_quick(device: u8, assumed: bool) -> bool {
    match times(device).known.load(Ordering::Relaxed) {
        NOTHING => assumed,
        known => known == QUICK,
    }
}

#[cfg(test)]
mod tests {
    use super::{ENOUGH, QUICK_NS, WINDOW, are_quick, note, set_slow};

    const DEVICE: u8 = 253;

    /// A window in which so many reads of 4 KiB are quick.
    fn window(quick: u32) {
        for read in 0..WINDOW {
            note(DEVICE, 4096, if read < quick { QUICK_NS } else { 80_000 });
        }
    }

    #[test]
    fn a_window_of_quick_reads_shows_it() {
        let are_quick = |assumed| are_quick(DEVICE, assumed);
        assert!(are_quick(true) && !are_quick(false));
        window(ENOUGH - 1);
        assert!(!are_quick(true));
        window(ENOUGH);
        assert!(are_quick(false));
        window(WINDOW);
        set_slow(DEVICE);
        assert!(!are_quick(true));
    }

    #[test]
    fn a_long_copy_is_no_wait() {
        for _ in 0..WINDOW {
            note(DEVICE - 1, 1 << 20, 200_000);
        }
        assert!(are_quick(DEVICE - 1, false));
    }
}
