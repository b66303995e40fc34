//! A ring in the library's memory (`IORING_SETUP_NO_MMAP`) that never has a descriptor (`REGISTERED_FD_ONLY`): one
//! thread makes it and alone can enter it, and what completes waits until that thread does (`DEFER_TASKRUN`), so that
//! no other call of the thread is ever interrupted by it. Linux 6.5.

use core::ffi::c_void;
use core::ptr;

use io_uring::{EnterFlags, squeue};

use super::ring_layout::{CompletionEntry, FEATURE_NO_IOWAIT, Parameters, REGISTER_USE_REGISTERED_RING, Update};
use super::ring_queues::{Completion, Queues};
use crate::host::futex::Deadline;
use crate::host::kernel::{self, Errno, syscall};
use crate::host::thread::SignalSet;

// linux/io_uring.h
/// `CQSIZE | SUBMIT_ALL | TASKRUN_FLAG | SINGLE_ISSUER | DEFER_TASKRUN | NO_MMAP | REGISTERED_FD_ONLY | NO_SQARRAY`
const SETUP: u32 = 1 << 3 | 1 << 7 | 1 << 9 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15 | 1 << 16;
const UNREGISTER_RING_FDS: u32 = 21;

/// At least what the kernel puts before the completions (128 bytes). More would do no harm as long as header and
/// completions are within the pages given, which is so for the few entries that such a ring has.
const HEADER: usize = 512;

/// `struct io_uring_getevents_arg`
#[repr(C)]
struct WaitArguments {
    mask: u64,
    mask_size: u32,
    least: u32,
    time: u64,
}

const _: () = assert!(size_of::<WaitArguments>() == 24);

/// Pages for a ring's queues and, behind them, its entries.
struct Pages {
    address: *mut c_void,
    entries: u32,
}

impl Pages {
    fn new(entries: u32) -> Result<Self, Errno> {
        let mut pages = core::mem::ManuallyDrop::new(Self { address: ptr::null_mut(), entries });
        pages.address = kernel::map(pages.length())?;
        // SAFETY: advises pages of this mapping. A child has no use for them, and need not have them copied.
        let _ = unsafe { syscall!(libc::SYS_madvise, pages.address, pages.length(), libc::MADV_DONTFORK) };
        Ok(core::mem::ManuallyDrop::into_inner(pages))
    }

    fn queues_length(&self) -> usize {
        (HEADER + self.entries as usize * size_of::<CompletionEntry>()).next_multiple_of(kernel::page_size())
    }

    fn length(&self) -> usize {
        self.queues_length()
            + (self.entries as usize * size_of::<squeue::Entry>()).next_multiple_of(kernel::page_size())
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: this mapping, which nothing refers to any more. A ring that still uses it keeps the pages.
        let _ = unsafe { syscall!(libc::SYS_munmap, self.address, self.length()) };
    }
}

/// A ring of the calling thread's, which ends before the thread does.
pub struct RawRing {
    index: u32,
    no_iowait: u32,
    queues: Queues,
    _pages: Pages,
}

impl RawRing {
    /// Makes the calling thread's ring, for so many entries and as many completions: a power of two.
    ///
    /// # Errors
    /// What the kernel answers: `ENOSYS`, `EPERM`, `EINVAL` before 6.5, `ENOMEM`, `EBUSY` (the thread has 16 rings).
    pub fn new(entries: u32) -> Result<Self, Errno> {
        let pages = Pages::new(entries)?;
        let place = pages.address.wrapping_byte_add(pages.queues_length());
        let mut parameters = Parameters { completions: entries, flags: SETUP, ..Parameters::default() };
        parameters.completion.address = pages.address as u64;
        parameters.submission.address = place as u64;
        // SAFETY: the kernel fills the parameters, and uses the pages while the ring exists.
        let index = unsafe { syscall!(libc::SYS_io_uring_setup, entries, &raw mut parameters) }? as u32;
        // SAFETY: the kernel has put the queues there; the pages stay as long as they, and there is no index.
        let queues = unsafe { Queues::new(pages.address, place, parameters) };
        let no_iowait = if queues.has_feature(FEATURE_NO_IOWAIT) { EnterFlags::NO_IOWAIT.bits() } else { 0 };
        Ok(Self { index, no_iowait, queues, _pages: pages })
    }

    /// Puts an entry into the submission queue. False: there is no room.
    ///
    /// # Safety
    /// What the entry points to stays until its completion, or the end of the ring.
    #[must_use]
    pub unsafe fn push(&mut self, entry: &squeue::Entry) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.queues.push(entry) }
    }

    /// Takes the next completion.
    pub fn pop(&mut self) -> Option<Completion> {
        self.queues.pop()
    }

    /// Hands `count` entries to the kernel, and lets arrive what has completed.
    ///
    /// # Errors
    /// What the kernel answers; none was taken.
    pub fn submit(&mut self, count: u32) -> Result<(), Errno> {
        let flags = EnterFlags::GETEVENTS.bits() | EnterFlags::REGISTERED_RING.bits();
        // SAFETY: entries are valid by the promise of `push`.
        unsafe { syscall!(libc::SYS_io_uring_enter, self.index, count, 0, flags, 0, 0) }.map(drop)
    }

    /// Sleeps until a completion is there, the deadline, or a signal that `mask` lets in. It submits nothing: a call that
    /// does would not tell that a signal ended its wait.
    ///
    /// # Errors
    /// `ETIMEDOUT`, `EINTR`, or what else the kernel answers.
    pub fn wait(&mut self, deadline: Deadline, mask: &SignalSet) -> Result<(), Errno> {
        let left = deadline
            .left()
            .map(|left| libc::timespec { tv_sec: (left / 1_000_000_000) as _, tv_nsec: (left % 1_000_000_000) as _ });
        let arguments = WaitArguments {
            mask: ptr::from_ref(mask) as u64,
            mask_size: size_of::<SignalSet>() as u32,
            least: 0,
            time: left.as_ref().map_or(0, |left| ptr::from_ref(left) as u64),
        };
        let flags = EnterFlags::GETEVENTS.bits()
            | EnterFlags::EXT_ARG.bits()
            | EnterFlags::REGISTERED_RING.bits()
            | self.no_iowait;
        let size = size_of::<WaitArguments>();
        // SAFETY: reads the arguments and what they point to.
        match unsafe { syscall!(libc::SYS_io_uring_enter, self.index, 0, 1, flags, &raw const arguments, size) } {
            Err(Errno(libc::ETIME)) => Err(Errno(libc::ETIMEDOUT)),
            answer => answer.map(drop),
        }
    }
}

impl Drop for RawRing {
    fn drop(&mut self) {
        let update = Update { place: self.index, reserved: 0, data: 0 };
        let operation = UNREGISTER_RING_FDS | REGISTER_USE_REGISTERED_RING;
        // SAFETY: gives up the ring, which is registered with this thread alone: a pointer in it keeps it from being sent to
        // another. The kernel holds the pages for as long as it still needs them.
        let _ = unsafe { syscall!(libc::SYS_io_uring_register, self.index, operation, &raw const update, 1) };
    }
}
