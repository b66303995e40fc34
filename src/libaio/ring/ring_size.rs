//! How large the kernel makes a ring: programs see the number of events in its header.

use core::num::NonZeroUsize;

use once_cell::race::OnceNonZeroUsize;

use super::layout::{HEADER_BYTES, SLOT_BYTES};
use crate::host::kernel::{self, Errno, syscall};

/// The kernel makes no larger ring.
const MAX_RING_BYTES: usize = 0x1000_0000;

/// The size of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingSize {
    /// Slots for events, of which one always stays empty.
    pub nr: u32,
    /// Bytes, in whole pages.
    pub length: usize,
}

/// The size of the ring that the kernel makes for `io_setup(nr_events)` (ioctx_alloc and aio_setup_ring of fs/aio.c): twice
/// as many events as asked for, at least eight for each CPU, two more, and then whole pages.
///
/// # Errors
/// `EINVAL`: too many; `EAGAIN`: none, after the kernel's own 32-bit arithmetic.
pub fn for_events(nr_events: u32) -> Result<RingSize, Errno> {
    let events = nr_events.max(possible_cpus().wrapping_mul(4)).wrapping_mul(2);
    if events as usize > MAX_RING_BYTES / SLOT_BYTES {
        return Err(Errno(libc::EINVAL));
    }
    if events == 0 {
        return Err(Errno(libc::EAGAIN));
    }
    let length = (HEADER_BYTES + SLOT_BYTES * (events as usize + 2)).next_multiple_of(kernel::page_size());
    Ok(RingSize { nr: ((length - HEADER_BYTES) / SLOT_BYTES) as u32, length })
}

/// How many CPUs the kernel provides for, present or not.
fn possible_cpus() -> u32 {
    // Threads that ask at once both ask the kernel.
    static KNOWN: OnceNonZeroUsize = OnceNonZeroUsize::new();
    let ask = || {
        let counted = count_possible_cpus().or_else(|| {
            // SAFETY: asks for a number.
            u32::try_from(unsafe { libc::sysconf(libc::_SC_NPROCESSORS_CONF) }).ok()
        });
        counted.and_then(|cpus| NonZeroUsize::new(cpus as usize)).unwrap_or(NonZeroUsize::MIN)
    };
    KNOWN.get_or_init(ask).get() as u32
}

/// `/sys/devices/system/cpu/possible`, a list like `0-3,8`.
fn count_possible_cpus() -> Option<u32> {
    let path = c"/sys/devices/system/cpu/possible";
    let mut text = [0u8; 256];
    // SAFETY: opens, reads into the buffer and closes.
    let length = unsafe {
        let fd = syscall!(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC, 0).ok()?;
        let length = syscall!(libc::SYS_read, fd, text.as_mut_ptr(), text.len());
        kernel::close(fd as i32);
        length.ok()?
    };
    let mut count = 0;
    for range in core::str::from_utf8(&text[..length]).ok()?.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
        count += last.checked_sub(first)? + 1;
    }
    (count > 0).then_some(count)
}
