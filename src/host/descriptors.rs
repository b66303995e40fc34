//! Changes of the program's descriptors, as far as they are seen: before a number is closed or given to another file,
//! the kernel gets what was submitted on it.
//!
//! The calls that do so are interposed by name ([`crate::interpose`]) and, where they are made as `syscall(…)`, by
//! number. What the C library closes by itself is not seen; the program has no I/O on such numbers.

use core::ffi::c_int;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::file_info;

const COUNTERS: usize = 4096;

/// How often a number was seen to be closed. Numbers share counters: one that counts too often does no harm.
static CLOSED: [AtomicU32; COUNTERS] = [const { AtomicU32::new(0) }; COUNTERS];

/// How often flags of an open file were seen to be changed, by number, with shared counters as well.
static FLAGS: [AtomicU32; COUNTERS] = [const { AtomicU32::new(0) }; COUNTERS];

/// How often a range of numbers was seen to be closed.
static RANGES: AtomicU32 = AtomicU32::new(0);

/// The function that settles; see [`settle_by`].
static SETTLE: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// The function that drains; see [`settle_by`].
static DRAIN: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// Changes whenever `fd` is seen to be closed or replaced. Between two equal results it names the same file.
#[must_use]
pub fn generation(fd: c_int) -> u32 {
    // Relaxed: a program that submits on a number while it closes it has a race of its own; where it orders the two,
    // its own synchronisation and the inbox's order these as well.
    counter(fd).load(Ordering::Relaxed).wrapping_add(RANGES.load(Ordering::Relaxed))
}

/// Changes like [`generation`], and also when the flags of `fd` are seen to be changed.
#[must_use]
pub fn flags_generation(fd: c_int) -> u32 {
    generation(fd).wrapping_add(FLAGS[fd as usize % COUNTERS].load(Ordering::Relaxed))
}

/// `settle` is called before every change of a descriptor, and `drain` before a change of flags on which operations
/// under way depend. Both must be async-signal-safe, as `close` is.
pub fn settle_by(settle: fn(), drain: fn(c_int)) {
    // Release pairs with the Acquire where they are called.
    SETTLE.store(settle as *mut (), Ordering::Release);
    DRAIN.store(drain as *mut (), Ordering::Release);
}

/// Must be called before `fd` is closed or replaced.
pub fn before_close(fd: c_int) {
    settle();
    counter(fd).fetch_add(1, Ordering::Relaxed);
}

/// Must be called after `fd` was replaced or its flags were changed: what was learnt of it meanwhile is out of date.
pub fn after_change(fd: c_int) {
    // Release: a thread that sees the new count and looks the descriptor up finds the file as it is now.
    FLAGS[fd as usize % COUNTERS].fetch_add(1, Ordering::Release);
}

/// Must be called before a range of descriptors is closed.
pub fn before_closing_many() {
    settle();
    RANGES.fetch_add(1, Ordering::Relaxed);
}

/// Must be called before the flags of the open file behind `fd` become `flags`. The kernel may look at the flags again
/// when it tries an operation a second time, so operations under way on `fd` are waited for where the change concerns
/// them.
pub fn before_flags_change(fd: c_int, flags: c_int) {
    let drain = DRAIN.load(Ordering::Acquire);
    if !drain.is_null()
        && let Ok(info) = file_info::info(fd)
        && info.is_seekable()
        && (info.flags ^ flags) & (libc::O_APPEND | libc::O_DIRECT) != 0
    {
        // SAFETY: only `settle_by` stores here, and it stores a `fn(c_int)`.
        unsafe { core::mem::transmute::<*mut (), fn(c_int)>(drain)(fd) };
    } else {
        settle();
    }
    FLAGS[fd as usize % COUNTERS].fetch_add(1, Ordering::Relaxed);
}

/// Returns when the kernel has what was submitted before.
pub fn settle() {
    let settle = SETTLE.load(Ordering::Acquire);
    if !settle.is_null() {
        // SAFETY: only `settle_by` stores here, and it stores a `fn()`.
        unsafe { core::mem::transmute::<*mut (), fn()>(settle)() };
    }
}

fn counter(fd: c_int) -> &'static AtomicU32 {
    &CLOSED[fd as usize % COUNTERS]
}
