//! What a device has shown, and what follows: requests that do not wait for it are done in the calling thread, which is the
//! shortest way by far, as the kernel's own AIO does it there too.
//!
//! That is so of requests on files that are open with `O_DIRECT` where a device completes them immediately, and of reads
//! through the page cache of files that cannot be tried without waiting (overlayfs, FUSE, …) as long as they are quick.
//!
//! The driver's name says the one of a device, or the times of its requests on io_uring ([`crate::engine::device_times`]); the
//! other the times of what workers did ([`crate::engine::read_times`]). From then on requests are done in the caller. Where
//! they turn out to wait (the device has changed, or stalls), a breaker sends those after them back to io_uring or the workers
//! for a while, which learn anew.

use core::sync::atomic::{AtomicBool, Ordering};

use super::breaker::{Breaker, Limits, STALL_NS};
use crate::engine::device_times::{self, DEVICES};
use crate::engine::read_times::{self, QUICK_NS};
use crate::host::{block_device, file_systems};
use crate::stats;

/// Whether the driver of a device was looked up.
static LOOKED_UP: [AtomicBool; DEVICES] = [const { AtomicBool::new(false) }; DEVICES];

/// A request in the caller that waits for longer is not completed immediately.
const LIMITS: Limits =
    Limits { slow_ns: 60_000, stall_ns: STALL_NS, watched: 4, pause_ns: 100_000_000, max_doublings: 7 };

static BREAKERS: [Breaker; DEVICES] = [const { Breaker::new(LIMITS) }; DEVICES];

/// A read that takes longer was not quick. What comes after a pause is watched for long: where some of what is read is in memory
/// and some is not, workers gain more than they cost.
const READ_LIMITS: Limits =
    Limits { slow_ns: QUICK_NS, stall_ns: STALL_NS, watched: 64, pause_ns: 50_000_000, max_doublings: 5 };

static READ_BREAKERS: [Breaker; DEVICES] = [const { Breaker::suspicious(READ_LIMITS) }; DEVICES];

/// Whether reads through the page cache of files on this device that cannot be tried without waiting are done in the calling
/// thread at present. Until something is known of them, that is assumed of files on devices of this machine (`is_local`), and
/// not of what another process or machine serves.
#[inline]
#[must_use]
pub fn reads_are_quick(device: u8, is_local: bool) -> bool {
    read_times::are_quick(device, is_local) && READ_BREAKERS[device as usize % DEVICES].is_closed()
}

/// Does such a read, and takes note of whether it waited.
pub fn watch_read<T>(device: u8, read: impl FnOnce() -> T) -> T {
    let breaker = &READ_BREAKERS[device as usize % DEVICES];
    let answer = watch_by(breaker, device, read);
    if breaker.has_opened() {
        read_times::set_slow(device);
    }
    answer
}

/// Whether `O_DIRECT` requests on this device are done in the calling thread at present.
#[inline]
#[must_use]
pub fn completes_immediately(device: u8) -> bool {
    device_times::is_immediate(device) && BREAKERS[device as usize % DEVICES].is_closed()
}

/// Does a request on such a device, and takes note of whether it waited.
#[inline]
pub fn watch<T>(device: u8, transfer: impl FnOnce() -> T) -> T {
    watch_by(&BREAKERS[device as usize % DEVICES], device, transfer)
}

#[inline]
fn watch_by<T>(breaker: &Breaker, device: u8, transfer: impl FnOnce() -> T) -> T {
    let answer = breaker.watch(transfer);
    if breaker.has_opened() {
        stats::device_paused(device);
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

/// A file on a device has been met that io_uring may serve: readers of the counters are told of the device.
pub fn met(device: u8, number: u64) {
    stats::device_met(device, number, device_times::is_immediate(device));
}

/// Whether the block device with this number has a driver that keeps everything in memory, by the name that sysfs gives it.
#[cold]
#[inline(never)]
fn is_in_memory(device: u64) -> bool {
    let mut target = block_device::NO_TARGET;
    block_device::name(device, &mut target).is_some_and(file_systems::is_device_in_memory)
}
