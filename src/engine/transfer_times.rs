//! How long plain reads and writes take through the page cache of files that cannot be tried without waiting (overlayfs, FUSE,
//! NFS, …), as the workers see it, by device.
//!
//! A read that finds its bytes in memory takes a microsecond or two, one that does not at least ten times as long; a write to
//! a file server in the same machine takes two changes of threads. Where nearly all of some transfers in a row were as quick
//! as that, a worker costs more than it can gain.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use super::device_times::DEVICES;

/// Transfers that are judged together.
const WINDOW: u32 = 32;

/// Of these, so many quick ones show that transfers are quick: the others' threads may have lost their processor.
const ENOUGH: u32 = 28;

/// A read that takes no longer, besides its copy, found everything in memory.
pub const QUICK_READ_NS: u64 = 10_000;

/// A write that takes no longer, besides its copy, was not kept waiting by what receives it.
pub const QUICK_WRITE_NS: u64 = 100_000;

/// A copy moves so many bytes in a nanosecond at least.
const COPY_BYTES_PER_NS: u64 = 4;

/// What is known of the transfers on one device in one direction.
const NOTHING: u8 = 0;
const QUICK: u8 = 1;
const SLOW: u8 = 2;

struct Times {
    /// Of the window: how many were quick in the upper half, how many there were in the lower.
    window: AtomicU32,
    known: AtomicU8,
}

/// By device, then by whether it is a write.
static TIMES: [[Times; 2]; DEVICES] =
    [const { [const { Times { window: AtomicU32::new(0), known: AtomicU8::new(NOTHING) } }; 2] }; DEVICES];

fn times(device: u8, writes: bool) -> &'static Times {
    &TIMES[device as usize % DEVICES][usize::from(writes)]
}

/// A transfer of so many bytes on a device has taken so long. By any worker; Relaxed: what two of them note at once may count as
/// one.
pub fn note(device: u8, writes: bool, bytes: u64, nanoseconds: u64) {
    let times = times(device, writes);
    let most_ns = if writes { QUICK_WRITE_NS } else { QUICK_READ_NS } + bytes / COPY_BYTES_PER_NS;
    let window = times.window.load(Ordering::Relaxed);
    let quick = (window >> 16) + u32::from(nanoseconds <= most_ns);
    let count = (window & 0xffff) + 1;
    if count < WINDOW {
        times.window.store(quick << 16 | count, Ordering::Relaxed);
        return;
    }
    times.window.store(0, Ordering::Relaxed);
    times.known.store(if quick >= ENOUGH { QUICK } else { SLOW }, Ordering::Relaxed);
}

/// They are not quick, as the calling thread has seen.
pub fn set_slow(device: u8, writes: bool) {
    let times = times(device, writes);
    times.window.store(0, Ordering::Relaxed);
    times.known.store(SLOW, Ordering::Relaxed);
}

/// Whether nearly all of the last transfers on a device were quick; `assumed` where none is known.
#[inline]
#[must_use]
pub fn are_quick(device: u8, writes: bool, assumed: bool) -> bool {
    match times(device, writes).known.load(Ordering::Relaxed) {
        NOTHING => assumed,
        known => known == QUICK,
    }
}

#[cfg(test)]
mod tests {
    use super::{ENOUGH, QUICK_READ_NS, WINDOW, are_quick, note, set_slow};

    const DEVICE: u8 = 253;

    /// A window in which so many reads of 4 KiB are quick.
    fn window(quick: u32) {
        for read in 0..WINDOW {
            note(DEVICE, false, 4096, if read < quick { QUICK_READ_NS } else { 80_000 });
        }
    }

    #[test]
    fn a_window_of_quick_reads_shows_it() {
        let are_quick = |assumed| are_quick(DEVICE, false, assumed);
        assert!(are_quick(true) && !are_quick(false));
        window(ENOUGH - 1);
        assert!(!are_quick(true));
        window(ENOUGH);
        assert!(are_quick(false));
        window(WINDOW);
        set_slow(DEVICE, false);
        assert!(!are_quick(true));
    }

    #[test]
    fn a_long_copy_is_no_wait() {
        for _ in 0..WINDOW {
            note(DEVICE - 1, true, 1 << 20, 300_000);
        }
        assert!(are_quick(DEVICE - 1, true, false) && !are_quick(DEVICE - 1, false, false));
    }
}
