//! The memory that a ring shares with the kernel. It is unmapped with the ring: what is mapped keeps the ring itself,
//! which the thread's end alone would not free.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use io_uring::{IoUring, squeue};

use crate::engine::ring_layout::{self, Parameters};
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

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this mapping's, to which nothing refers any more.
        let _ = unsafe { syscall!(libc::SYS_munmap, self.address, self.length) };
    }
}

/// What became of an entry.
#[derive(Clone, Copy, Debug)]
pub struct Completion {
    /// The entry's user data.
    pub data: u64,
    pub result: i32,
}

/// Both queues and the entries of a ring, for its thread.
pub struct RingMemory {
    rings: Mapping,
    entries: Mapping,
    parameters: Parameters,
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
        let completions = parameters.completion.completions as usize
            + parameters.completions as usize * size_of::<ring_layout::Completion>();
        let entries = parameters.submissions as usize * size_of::<squeue::Entry>();
        // One mapping has both queues (5.4).
        Ok(Self {
            rings: Mapping::new(fd, RINGS, index.max(completions))?,
            entries: Mapping::new(fd, ENTRIES, entries)?,
            parameters,
        })
    }

    /// Whether the kernel has what this bit stands for.
    pub const fn has_feature(&self, feature: u32) -> bool {
        self.parameters.features & feature != 0
    }

    fn word(&self, offset: u32) -> &AtomicU32 {
        // SAFETY: the kernel gave the offset, within the mapping.
        unsafe { &*self.rings.address.byte_add(offset as usize).cast::<AtomicU32>() }
    }

    /// Puts an entry into the submission queue. False: there is no room.
    ///
    /// # Safety
    /// What the entry points to stays until its completion.
    #[must_use]
    pub unsafe fn push(&mut self, entry: &squeue::Entry) -> bool {
        let submission = &self.parameters.submission;
        // Relaxed: this thread alone writes it.
        let tail = self.word(submission.tail).load(Ordering::Relaxed);
        // Acquire pairs with the kernel's Release: it has read the entries before.
        let head = self.word(submission.head).load(Ordering::Acquire);
        if tail.wrapping_sub(head) >= self.parameters.submissions {
            return false;
        }
        // SAFETY: within the entries, and free. The index of entries is in their order since the ring was made.
        unsafe {
            let place = self.entries.address.cast::<squeue::Entry>();
            ptr::copy_nonoverlapping(entry, place.add((tail & (self.parameters.submissions - 1)) as usize), 1);
        }
        // Release: the kernel finds the entry whole.
        self.word(submission.tail).store(tail.wrapping_add(1), Ordering::Release);
        true
    }

    /// Takes the next completion.
    pub fn pop(&mut self) -> Option<Completion> {
        let completion = &self.parameters.completion;
        // Relaxed: this thread alone writes it.
        let head = self.word(completion.head).load(Ordering::Relaxed);
        // Acquire pairs with the kernel's Release: the completion is whole.
        if head == self.word(completion.tail).load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: within the completions, and this thread's until the head has passed it.
        let this = unsafe {
            let first = self.rings.address.byte_add(completion.completions as usize);
            &*first.cast::<ring_layout::Completion>().add((head & (self.parameters.completions - 1)) as usize)
        };
        let taken =
            Completion { data: this.user_data.load(Ordering::Relaxed), result: this.result.load(Ordering::Relaxed) };
        // Release pairs with the kernel's Acquire: it has been read.
        self.word(completion.head).store(head.wrapping_add(1), Ordering::Release);
        Some(taken)
    }
}
