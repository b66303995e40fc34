//! Memory that may be refused: where the heap is exhausted, a request fails and the program does not end. And a word to the
//! processor about memory that will be used.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::alloc::{Layout, alloc};

use super::kernel::{self, Errno};

/// The kernel's page size.
#[must_use]
pub fn page_bytes() -> usize {
    static KNOWN: AtomicUsize = AtomicUsize::new(0);
    // Relaxed: the word says all.
    let mut known = KNOWN.load(Ordering::Relaxed);
    if known == 0 {
        // SAFETY: reads what the kernel told the process at its start.
        known = (unsafe { libc::getauxval(libc::AT_PAGESZ) } as usize).max(4096);
        KNOWN.store(known, Ordering::Relaxed);
    }
    known
}

/// A box, unless there is no memory.
///
/// # Errors
/// `ENOMEM`.
pub fn boxed<T>(value: T) -> Result<Box<T>, Errno> {
    try_box(value).map_err(|_| Errno(libc::ENOMEM))
}

/// A box, unless there is no memory.
///
/// # Errors
/// The value.
pub fn try_box<T>(value: T) -> Result<Box<T>, T> {
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the layout is not empty.
    let place = unsafe { alloc(Layout::new::<T>()) }.cast::<T>();
    if place.is_null() {
        return Err(value);
    }
    // SAFETY: room for a `T`, aligned for it, from the allocator that a box frees with.
    unsafe {
        place.write(value);
        Ok(Box::from_raw(place))
    }
}

/// Zeroed memory of its own pages for `count` values, never given back.
///
/// # Errors
/// `ENOMEM`.
///
/// # Safety
/// Zero bytes are a valid `T`.
pub unsafe fn pages<T>(count: usize) -> Result<NonNull<T>, Errno> {
    let length = (size_of::<T>() * count).next_multiple_of(page_bytes());
    NonNull::new(kernel::map(length)?.cast()).ok_or(Errno(libc::ENOMEM))
}

/// Has the processor fetch what lies at `address`, which will be used soon. With thousands of requests in flight each was long not
/// looked at, and would be waited for. Only a hint: there need be nothing.
#[inline]
pub fn prefetch(address: usize, length: usize) {
    const LINE: usize = 64;
    let first = address & !(LINE - 1);
    for offset in (0..address - first + length).step_by(LINE) {
        prefetch_line(first.wrapping_add(offset));
    }
}

#[inline]
fn prefetch_line(address: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, which never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::without_provenance(address)) };
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the same.
    unsafe {
        core::arch::asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = address;
}
