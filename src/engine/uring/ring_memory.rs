//! The memory that a ring shares with the kernel. It is unmapped with the ring: what is mapped keeps the ring itself,
//! which the thread's end alone would not free.

use core::ffi::c_void;

use io_uring::{IoUring, squeue};

use crate::engine::ring_layout::{CompletionEntry, Parameters};
use crate::engine::ring_queues::Queues;
use crate::host::kernel::{Errno, syscall};

/// `IORING_OFF_SQ_RING` and `IORING_OFF_SQES`: what of the ring is mapped.
const RINGS: usize = 0;
const ENTRIES: usize = 0x1000_0000;

struct Mapping {
    address: *mut c_void,
    length: usize,
}

impl Mapping {
    fn new(fd: i32, what: usize, length: usize) -> Result<Self, Errno> {
        let (rights, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_POPULATE);
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
        let address = unsafe { syscall!(libc::SYS_mmap, 0, length, rights, flags, fd, what) }? as *mut c_void;
        // A forked child has no use for it.
        // SAFETY: advises the mapping made above.
        let _ = unsafe { syscall!(libc::SYS_madvise, address, length, libc::MADV_DONTFORK) };
        Ok(Self { address, length })
    }
}

#[cfg(test)]
impl RingMemory {
    /// Memory without a kernel behind it, with so many bytes for both queues.
    pub fn simulated(parameters: Parameters, bytes: usize) -> Self {
        let map =
            |length| Mapping { address: crate::host::kernel::map(length).unwrap_or(core::ptr::null_mut()), length };
        let (rings, entries) = (map(bytes), map(parameters.submissions as usize * size_of::<squeue::Entry>()));
        // SAFETY: as in `map`; the simulation gives the parameters.
        let queues = unsafe { Queues::new(rings.address, entries.address, parameters) };
        Self { queues, _rings: rings, _entries: entries }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this mapping's, to which nothing refers any more.
        let _ = unsafe { syscall!(libc::SYS_munmap, self.address, self.length) };
    }
}

/// A ring's queues, for its thread, and the mappings that they lie in.
pub struct RingMemory {
    pub queues: Queues,
    _rings: Mapping,
    _entries: Mapping,
}

impl RingMemory {
    /// Maps the memory of a ring a second time: the first mapping goes with its `IoUring`.
    ///
    /// # Errors
    /// What `mmap` answers.
    pub fn map(fd: i32, ring: &IoUring) -> Result<Self, Errno> {
        // SAFETY: the crate's type is transparent over the kernel's structure, of which this is the layout.
        let parameters: Parameters = unsafe { core::mem::transmute_copy(ring.params()) };
        let index = parameters.submission.array as usize + parameters.submissions as usize * size_of::<u32>();
        let completions =
            parameters.completion.completions as usize + parameters.completions as usize * size_of::<CompletionEntry>();
        let entries = parameters.submissions as usize * size_of::<squeue::Entry>();
        // One mapping has both queues (5.4).
        let rings = Mapping::new(fd, RINGS, index.max(completions))?;
        let entries = Mapping::new(fd, ENTRIES, entries)?;
        // SAFETY: the mappings stay as long as the queues. The index is in the entries' order since the ring was made.
        let queues = unsafe { Queues::new(rings.address, entries.address, parameters) };
        Ok(Self { queues, _rings: rings, _entries: entries })
    }
}
