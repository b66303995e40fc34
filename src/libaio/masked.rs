//! `io_pgetevents`: a signal mask for the time of the wait, put in place and taken back in one with it.
//!
//! No futex call takes a mask. `io_uring_enter(2)` does: a ring of two entries, made for one sleep and by this thread alone,
//! waits on the context's futex word. It never has a descriptor (`IORING_SETUP_REGISTERED_FD_ONLY`), and disturbs no other
//! call of the thread (`DEFER_TASKRUN`). Only a call that has to sleep pays for it.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use super::context::Used;
use super::wait::{self, Sleep, Timeout};
use crate::host::futex::Deadline;
use crate::host::kernel::{self, Errno, syscall};
use crate::host::thread::{self, SignalSet};

/// Takes events as [`wait::get_events`] does, with `mask` in place of the thread's signal mask.
///
/// # Errors
/// As there.
pub fn get_events(
    used: &Used,
    min: isize,
    most: isize,
    events: usize,
    timeout: Timeout,
    mask: SignalSet,
) -> Result<usize, Errno> {
    // A private ring's wait would have to take the mask, too: this context does without one.
    used.fetch();
    // Outside of the sleep nothing gets through, so that what `mask` blocks stays out all the time.
    let before = thread::block_all_signals();
    let mut sleeper = Masked { mask, ring: None };
    let got = wait::get_events(used, min, most, events, timeout, &mut sleeper);
    drop(sleeper);
    // What the mask lets in and is still pending is handled now, also when there are events.
    let interrupted = pending() & !mask != 0;
    if interrupted {
        thread::restore_signals(&mask);
    }
    thread::restore_signals(&before);
    match got {
        Ok(0) if interrupted => Err(Errno(libc::EINTR)),
        got => got,
    }
}

/// Signals that wait to be let in.
fn pending() -> SignalSet {
    let mut set: SignalSet = 0;
    // SAFETY: writes a set of the size given.
    let _ = unsafe { syscall!(libc::SYS_rt_sigpending, &raw mut set, size_of::<SignalSet>()) };
    set
}

struct Masked {
    mask: SignalSet,
    ring: Option<Ring>,
}

impl Sleep for Masked {
    fn sleep(&mut self, word: &AtomicU32, seen: u32, deadline: Deadline) -> Result<(), Errno> {
        let until = deadline.timespec();
        if deadline != Deadline::Never && kernel::now() >= at(&until) {
            // The kernel looks for signals first.
            return if pending() & !self.mask != 0 { Err(Errno(libc::EINTR)) } else { Err(Errno(libc::ETIMEDOUT)) };
        }
        if self.ring.is_none() {
            self.ring = Ring::new().ok();
        }
        match &mut self.ring {
            Some(ring) => ring.wait(word, seen, &until, self.mask),
            None => nap(&until, self.mask),
        }
    }
}

fn at(time: &libc::timespec) -> u64 {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Where no ring can be had: sleeps for a millisecond at a time, and the caller looks again.
fn nap(until: &libc::timespec, mask: SignalSet) -> Result<(), Errno> {
    let left = at(until).saturating_sub(kernel::now()).min(1_000_000);
    let time = libc::timespec { tv_sec: 0, tv_nsec: left as _ };
    // SAFETY: no descriptors; reads the time and the set.
    unsafe { syscall!(libc::SYS_ppoll, 0, 0, &raw const time, &raw const mask, size_of::<SignalSet>()) }.map(drop)
}

const ENTRIES: u32 = 2;
const PAGE: usize = 4096;

// linux/io_uring.h
const SETUP: u32 = 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15 | 1 << 16;
const FUTEX_WAIT: u8 = 51;
const REGISTERED_RING: u32 = 1 << 4;
const ENTER: u32 = REGISTERED_RING | 1 /* GETEVENTS */ | 1 << 3 /* EXT_ARG */ | 1 << 5 /* ABS_TIMER */;
const UNREGISTER_RING_FDS: u32 = 21;
const FUTEX2_PRIVATE_U32: u32 = 0x02 | 128;

#[repr(C)]
#[derive(Default)]
struct SubmissionOffsets {
    head: u32,
    tail: u32,
    mask: u32,
    entries: u32,
    flags: u32,
    dropped: u32,
    array: u32,
    reserved: u32,
    address: u64,
}

#[repr(C)]
#[derive(Default)]
struct CompletionOffsets {
    head: u32,
    tail: u32,
    mask: u32,
    entries: u32,
    overflow: u32,
    completions: u32,
    flags: u32,
    reserved: u32,
    address: u64,
}

/// `struct io_uring_params`
#[repr(C)]
#[derive(Default)]
struct Parameters {
    submissions: u32,
    completions: u32,
    flags: u32,
    thread: [u32; 2],
    features: u32,
    workers: u32,
    reserved: [u32; 3],
    submission: SubmissionOffsets,
    completion: CompletionOffsets,
}

/// `struct io_uring_sqe`, as far as a futex wait goes.
#[repr(C)]
#[derive(Default)]
struct Entry {
    opcode: u8,
    flags: u8,
    priority: u16,
    fd: i32,
    value: u64,
    address: u64,
    length: u32,
    futex_flags: u32,
    user_data: u64,
    buffer: u32,
    file: u32,
    mask: u64,
    padding: u64,
}

/// `struct io_uring_getevents_arg`
#[repr(C)]
struct Wait {
    mask: u64,
    mask_size: u32,
    least: u32,
    time: u64,
}

const _: () = assert!(size_of::<Parameters>() == 120 && size_of::<Entry>() == 64 && size_of::<Wait>() == 24);

/// A ring for one sleeper.
struct Ring {
    /// Two pages: heads, tails and completions; entries.
    memory: *mut c_void,
    index: u32,
    parameters: Parameters,
    /// A wait is under way.
    armed: bool,
}

impl Ring {
    fn new() -> Result<Self, Errno> {
        let memory = kernel::map(2 * PAGE)?;
        let mut parameters = Parameters { flags: SETUP, ..Parameters::default() };
        parameters.completion.address = memory as u64;
        parameters.submission.address = memory as u64 + PAGE as u64;
        // SAFETY: the kernel fills the parameters, and uses the two pages while the ring exists.
        let index = unsafe { syscall!(libc::SYS_io_uring_setup, ENTRIES, &raw mut parameters) };
        let mut this = Self { memory, index: 0, parameters, armed: false };
        match index {
            Ok(index) => {
                this.index = index as u32;
                Ok(this)
            }
            Err(errno) => {
                this.index = u32::MAX;
                Err(errno)
            }
        }
    }

    fn word(&self, offset: u32) -> &AtomicU32 {
        // SAFETY: the kernel gave the offset, within the first page.
        unsafe { &*self.memory.byte_add(offset as usize).cast::<AtomicU32>() }
    }

    /// Sleeps until woken on `word`, at `until` of the monotonic clock, or by a signal that `mask` lets in.
    fn wait(&mut self, word: &AtomicU32, seen: u32, until: &libc::timespec, mask: SignalSet) -> Result<(), Errno> {
        let submission = &self.parameters.submission;
        // An earlier wait that is still under way was for the same word; if the word has changed since, it has ended.
        if !self.armed {
            let tail = self.word(submission.tail).load(Ordering::Relaxed);
            let entry = Entry {
                opcode: FUTEX_WAIT,
                fd: FUTEX2_PRIVATE_U32 as i32,
                value: seen.into(),
                address: word.as_ptr() as u64,
                mask: u32::MAX.into(),
                ..Entry::default()
            };
            // SAFETY: the second page has room for the entries, and this one is free: nothing is queued.
            unsafe {
                let entries = self.memory.byte_add(PAGE).cast::<Entry>();
                entries.add((tail % self.parameters.submissions) as usize).write(entry);
            }
            // Release: the kernel finds the entry whole.
            self.word(submission.tail).store(tail.wrapping_add(1), Ordering::Release);
            // A call of its own: one that submits something does not tell that a signal ended its wait.
            // SAFETY: the ring is this thread's; the word outlives the ring.
            unsafe { syscall!(libc::SYS_io_uring_enter, self.index, 1, 0, REGISTERED_RING, 0, 0) }?;
            self.armed = true;
        }
        let arguments = Wait {
            mask: ptr::from_ref(&mask) as u64,
            mask_size: size_of::<SignalSet>() as u32,
            least: 0,
            time: ptr::from_ref(until) as u64,
        };
        // SAFETY: reads the arguments; the ring is this thread's.
        let entered = unsafe {
            let (arguments, size) = (&raw const arguments, size_of::<Wait>());
            syscall!(libc::SYS_io_uring_enter, self.index, 0, 1, ENTER, arguments, size)
        };
        let completion = &self.parameters.completion;
        // Acquire pairs with the kernel's Release.
        let tail = self.word(completion.tail).load(Ordering::Acquire);
        if self.word(completion.head).load(Ordering::Relaxed) != tail {
            self.word(completion.head).store(tail, Ordering::Release);
            self.armed = false;
            return Ok(());
        }
        match entered {
            Err(Errno(libc::ETIME)) => Err(Errno(libc::ETIMEDOUT)),
            Err(errno) => Err(errno),
            Ok(_) => Ok(()),
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        #[repr(C)]
        struct Update {
            offset: u32,
            reserved: u32,
            data: u64,
        }
        // SAFETY: gives up the ring, which was registered with this thread alone; the kernel holds the pages for as long as
        // it still needs them.
        unsafe {
            if self.index != u32::MAX {
                let update = Update { offset: self.index, reserved: 0, data: 0 };
                let update = &raw const update;
                let _ = syscall!(libc::SYS_io_uring_register, self.index, UNREGISTER_RING_FDS | 1 << 31, update, 1);
            }
            let _ = syscall!(libc::SYS_munmap, self.memory, 2 * PAGE);
        }
    }
}
