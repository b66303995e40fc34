//! What has been seen of devices, for readers of the counters. Nothing in the library goes by it.
//!
//! Relaxed throughout: each word is a fact by itself.

use core::sync::atomic::Ordering;

use super::counter_block::{BLOCK, Device};
use super::layout::DEVICES;

fn row(slot: u8) -> &'static Device {
    &BLOCK.devices[slot as usize % DEVICES]
}

/// A file on the device with this number has been met; the device's row is `slot`.
pub fn device_met(slot: u8, number: u64, is_immediate: bool) {
    let row = row(slot);
    if row.number.swap(number, Ordering::Relaxed) != number {
        row.best_ns.store(0, Ordering::Relaxed);
        row.pauses.store(0, Ordering::Relaxed);
    }
    row.is_immediate.store(is_immediate.into(), Ordering::Relaxed);
}

/// The best of some requests on a device took so long.
pub fn device_timed(slot: u8, best_ns: u64, is_immediate: bool) {
    let row = row(slot);
    row.best_ns.store(best_ns, Ordering::Relaxed);
    row.is_immediate.store(is_immediate.into(), Ordering::Relaxed);
}

/// Requests in the calling thread turned out to wait for a device.
#[cold]
pub fn device_paused(slot: u8) {
    row(slot).pauses.fetch_add(1, Ordering::Relaxed);
}
