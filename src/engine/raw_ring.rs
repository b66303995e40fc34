//! A ring in the library's memory (`IORING_SETUP_NO_MMAP`) that never has a descriptor (`REGISTERED_FD_ONLY`): one
//! thread makes it and alone can enter it, and what completes waits until that thread does (`DEFER_TASKRUN`), so that
//! no other call of the thread is ever interrupted by it. Linux 6.5.
//!
//! The ring ends with its thread. What it still had under way then completes into the memory, which is the
//! library's: no completion is lost, as one would be in a mapping of the kernel's.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use io_uring::{EnterFlags, squeue};

use super::cq_pop::cq_pop;
use super::ring_layout::{Completion, FEATURE_NO_IOWAIT, Parameters};
use crate::host::futex::Deadline;
use crate::host::kernel::{self, Errno, syscall};
use crate::host::thread::SignalSet;

// linux/io_uring.h
const SETUP_R_DISABLED: u32 = 1 << 6;
/// `CQSIZE | SUBMIT_ALL | TASKRUN_FLAG | SINGLE_ISSUER | DEFER_TASKRUN | NO_MMAP | REGISTERED_FD_ONLY | NO_SQARRAY`
const SETUP: u32 = 1 << 3 | 1 << 7 | 1 << 9 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15 | 1 << 16;
const ENTER_REGISTERED_RING: u32 = 1 << 4;
const REGISTER_USE_REGISTERED_RING: u32 = 1 << 31;
const UNREGISTER_RING_FDS: u32 = 21;

const PAGE: usize = 4096;
/// What the kernel puts before the completions, and more.
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

/// Memory for a ring of so many entries, used by one ring after another.
pub struct RingPages {
    address: *mut c_void,
    submissions: u32,
    completions: u32,
}

impl RingPages {
    const fn rings(completions: u32) -> usize {
        (HEADER + completions as usize * size_of::<Completion>()).next_multiple_of(PAGE)
    }

    const fn length(&self) -> usize {
        Self::rings(self.completions) + (self.submissions as usize * size_of::<squeue::Entry>()).next_multiple_of(PAGE)
    }

    /// Maps it. Both numbers are powers of two.
    ///
    /// # Errors
    /// `ENOMEM`, or what else `mmap` answers.
    pub fn new(submissions: u32, completions: u32) -> Result<Self, Errno> {
        let mut room = core::mem::ManuallyDrop::new(Self { address: ptr::null_mut(), submissions, completions });
        room.address = kernel::map(room.length())?;
        // SAFETY: advises pages of this mapping. A child has no use for them, and need not have them copied.
        let _ = unsafe { syscall!(libc::SYS_madvise, room.address, room.length(), libc::MADV_DONTFORK) };
        Ok(core::mem::ManuallyDrop::into_inner(room))
    }
}

impl Drop for RingPages {
    fn drop(&mut self) {
        // SAFETY: this mapping, which nothing refers to any more. A ring that still uses it keeps the pages.
        let _ = unsafe { syscall!(libc::SYS_munmap, self.address, self.length()) };
    }
}

/// A ring of the calling thread's in some [`RingPages`].
pub struct RawRing {
    room: *mut c_void,
    index: u32,
    no_iowait: u32,
    entries: *mut squeue::Entry,
    parameters: Parameters,
}

// SAFETY: all that other threads may do with it (`cq_pop`, `has_work`) is atomic.
unsafe impl Send for RawRing {}
// SAFETY: the same.
unsafe impl Sync for RawRing {}

impl RawRing {
    /// Makes the calling thread's ring; it takes nothing before [`RawRing::enable`].
    ///
    /// # Errors
    /// What the kernel answers: `ENOSYS`, `EPERM`, `EINVAL` before 6.5, `ENOMEM`, `EBUSY` (the thread has 16 rings).
    pub fn new(room: &RingPages) -> Result<Self, Errno> {
        // SAFETY: the pages are the caller's, and no ring is in them, or one that has ended.
        unsafe { ptr::write_bytes(room.address.cast::<u8>(), 0, RingPages::rings(room.completions)) };
        let mut parameters =
            Parameters { completions: room.completions, flags: SETUP | SETUP_R_DISABLED, ..Parameters::default() };
        let entries = room.address.wrapping_byte_add(RingPages::rings(room.completions));
        parameters.completion.address = room.address as u64;
        parameters.submission.address = entries as u64;
        // SAFETY: the kernel fills the parameters, and uses the room while the ring exists.
        let index = unsafe { syscall!(libc::SYS_io_uring_setup, room.submissions, &raw mut parameters) }? as u32;
        let no_iowait = if parameters.features & FEATURE_NO_IOWAIT != 0 { EnterFlags::NO_IOWAIT.bits() } else { 0 };
        Ok(Self { room: room.address, index, no_iowait, entries: entries.cast(), parameters })
    }

    /// `io_uring_register(2)`.
    ///
    /// # Errors
    /// What the kernel answers.
    ///
    /// # Safety
    /// The arguments are as `operation` wants them.
    pub unsafe fn register(&self, operation: u32, argument: *const c_void, count: u32) -> Result<usize, Errno> {
        let operation = operation | REGISTER_USE_REGISTERED_RING;
        // SAFETY: the caller's promise.
        unsafe { syscall!(libc::SYS_io_uring_register, self.index, operation, argument, count) }
    }

    /// From here on it takes entries.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn enable(&self) -> Result<(), Errno> {
        const ENABLE_RINGS: u32 = 12;
        // SAFETY: takes no arguments.
        unsafe { self.register(ENABLE_RINGS, ptr::null(), 0) }.map(drop)
    }

    fn word(&self, offset: u32) -> &AtomicU32 {
        // SAFETY: the kernel gave the offset, within the room, which stays as long as the ring.
        unsafe { &*self.room.byte_add(offset as usize).cast::<AtomicU32>() }
    }

    /// Puts an entry into the submission queue. False: there is no room.
    ///
    /// # Safety
    /// The caller is the ring's thread, and does not interrupt another push. What the entry points to stays until its
    /// completion.
    #[must_use]
    pub unsafe fn push(&self, entry: &squeue::Entry) -> bool {
        let submission = &self.parameters.submission;
        let tail = self.word(submission.tail).load(Ordering::Relaxed);
        // Acquire pairs with the kernel's Release: the entries before it have been read.
        let head = self.word(submission.head).load(Ordering::Acquire);
        if tail.wrapping_sub(head) >= self.parameters.submissions {
            return false;
        }
        // SAFETY: within the entries, and free.
        unsafe {
            let place = self.entries.add((tail & (self.parameters.submissions - 1)) as usize);
            ptr::copy_nonoverlapping(entry, place, 1);
        }
        // Release: the kernel finds the entry whole.
        self.word(submission.tail).store(tail.wrapping_add(1), Ordering::Release);
        true
    }

    /// Hands `count` entries to the kernel, and lets arrive what has completed. How many it took.
    ///
    /// # Errors
    /// What the kernel answers; none was taken.
    pub fn submit(&self, count: u32) -> Result<u32, Errno> {
        let flags = EnterFlags::GETEVENTS.bits() | ENTER_REGISTERED_RING;
        // SAFETY: entries are valid by the promise of `push`.
        unsafe { syscall!(libc::SYS_io_uring_enter, self.index, count, 0, flags, 0, 0) }.map(|taken| taken as u32)
    }

    /// Sleeps until `want` completions are there, the deadline, or a signal that `mask`, if given, lets in. It submits
    /// nothing: a call that does would not tell that a signal ended its wait.
    ///
    /// # Errors
    /// `ETIMEDOUT`, `EINTR`, or what else the kernel answers.
    pub fn wait(&self, want: u32, deadline: Deadline, mask: Option<&SignalSet>) -> Result<(), Errno> {
        let left = deadline
            .left()
            .map(|left| libc::timespec { tv_sec: (left / 1_000_000_000) as _, tv_nsec: (left % 1_000_000_000) as _ });
        let arguments = WaitArguments {
            mask: mask.map_or(0, |mask| ptr::from_ref(mask) as u64),
            mask_size: size_of::<SignalSet>() as u32,
            least: 0,
            time: left.as_ref().map_or(0, |left| ptr::from_ref(left) as u64),
        };
        let flags = EnterFlags::GETEVENTS.bits() | EnterFlags::EXT_ARG.bits() | ENTER_REGISTERED_RING | self.no_iowait;
        let size = size_of::<WaitArguments>();
        // SAFETY: reads the arguments and what they point to.
        match unsafe { syscall!(libc::SYS_io_uring_enter, self.index, 0, want, flags, &raw const arguments, size) } {
            Err(Errno(libc::ETIME)) => Err(Errno(libc::ETIMEDOUT)),
            answer => answer.map(drop),
        }
    }

    /// Takes the next completion: the user data, and the result. Each goes to one taker, also where a signal handler
    /// has interrupted another.
    #[must_use]
    pub fn pop_completion(&self) -> Option<(u64, i32)> {
        let completion = &self.parameters.completion;
        let (head, tail) = (self.word(completion.head), self.word(completion.tail));
        let completions = self.completions();
        cq_pop(head, tail, |at| {
            // SAFETY: within the completions.
            let this = unsafe { &*completions.add((at & (self.parameters.completions - 1)) as usize) };
            (this.user_data.load(Ordering::Relaxed), this.result.load(Ordering::Relaxed))
        })
    }

    fn completions(&self) -> *const Completion {
        // SAFETY: the kernel gave the offset; completions follow one another from there.
        unsafe { self.room.byte_add(self.parameters.completion.completions as usize) }.cast()
    }

    /// Ends the ring before its thread ends.
    ///
    /// # Safety
    /// The caller is the ring's thread.
    pub unsafe fn end(&self) {
        #[repr(C)]
        struct Update {
            offset: u32,
            reserved: u32,
            data: u64,
        }
        let update = Update { offset: self.index, reserved: 0, data: 0 };
        // SAFETY: gives up the ring, which is registered with this thread alone; the kernel holds the pages for as long
        // as it still needs them.
        let _ = unsafe { self.register(UNREGISTER_RING_FDS, (&raw const update).cast(), 1) };
    }
}
