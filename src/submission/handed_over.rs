//! `O_DIRECT` requests that io_uring hands to threads of the kernel's, because the file system does not say without waiting whether
//! it would have to wait ([`Backing::LocalByThreads`](crate::host::file_info::Backing)).
//!
//! A request that is alone passes two changes of threads less by a worker. Of many in flight io_uring makes more. So those that
//! are outstanding are counted, by device, and one that would be the only one is the workers'. (libaio's are the kernel's AIO's.)

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::engine::device_times::DEVICES;

/// The requests on one device.
struct Requests {
    are_handed_over: AtomicBool,
    /// Those that are with an engine. (A forked child goes on from its parent's number: its requests go to io_uring.)
    outstanding: AtomicU32,
}

// Relaxed throughout: a request that is missed, or counted too long, sends another the longer way.
static REQUESTS: [Requests; DEVICES] =
    [const { Requests { are_handed_over: AtomicBool::new(false), outstanding: AtomicU32::new(0) } }; DEVICES];

fn outstanding(device: u8) -> Option<&'static AtomicU32> {
    let requests = &REQUESTS[device as usize % DEVICES];
    requests.are_handed_over.load(Ordering::Relaxed).then_some(&requests.outstanding)
}

/// Such a file system is on this device.
pub fn met(device: u8) {
    REQUESTS[device as usize % DEVICES].are_handed_over.store(true, Ordering::Relaxed);
}

/// A request on a device goes to an engine.
pub fn begin(device: u8) {
    if let Some(outstanding) = outstanding(device) {
        outstanding.fetch_add(1, Ordering::Relaxed);
    }
}

/// A request for which [`begin`] was called has ended.
pub fn end(device: u8) {
    if let Some(outstanding) = outstanding(device) {
        // It may have begun before the device was met, and was not counted.
        let _ = outstanding.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
    }
}

/// Whether io_uring would hand over the next request on this device, and it would be the only one.
#[must_use]
pub fn is_lone(device: u8) -> bool {
    outstanding(device).is_some_and(|outstanding| outstanding.load(Ordering::Relaxed) == 0)
}

#[cfg(test)]
mod tests {
    use super::{begin, end, is_lone, met};

    #[test]
    fn a_request_is_alone_until_another_begins() {
        const DEVICE: u8 = 251;
        begin(DEVICE);
        assert!(!is_lone(DEVICE));
        met(DEVICE);
        end(DEVICE);
        assert!(is_lone(DEVICE));
        begin(DEVICE);
        assert!(!is_lone(DEVICE));
        end(DEVICE);
        assert!(is_lone(DEVICE));
    }
}
