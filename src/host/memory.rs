//! Allocations that may fail: where there is no memory, a request fails and the program goes on. And prefetching.

use core::ptr::NonNull;
use std::alloc::Layout;

use super::kernel::{self, Errno};

/// Memory as Rust's `alloc` gives it, or null; the library's own threads do not wait for it.
#[must_use]
pub fn allocate(layout: Layout) -> *mut u8 {
    // Under Miri, Rust's own heap, of which it knows each block.
    #[cfg(miri)]
    // SAFETY: no layout here is empty.
    return unsafe { std::alloc::alloc(layout) };
    #[cfg(not(miri))]
    super::heap::attempt(layout)
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
    let place = allocate(Layout::new::<T>()).cast::<T>();
    if place.is_null() {
        return Err(value);
    }
    // SAFETY: room for a `T`, aligned for it, from the heap that a box is freed to.
    unsafe {
        place.write(value);
        Ok(Box::from_raw(place))
    }
}

/// A slice of `count` values, each made where it is to be: none of it passes the stack as a whole.
///
/// # Errors
/// `ENOMEM`.
pub fn boxed_slice<T>(count: usize, mut make: impl FnMut() -> T) -> Result<Box<[T]>, Errno> {
    const { assert!(size_of::<T>() > 0 && !core::mem::needs_drop::<T>()) };
    assert!(count > 0);
    let layout = Layout::array::<T>(count).map_err(|_| Errno(libc::ENOMEM))?;
    let first = allocate(layout).cast::<T>();
    if first.is_null() {
        return Err(Errno(libc::ENOMEM));
    }
    for index in 0..count {
        // SAFETY: within the room for `count` values, aligned for them.
        unsafe { first.add(index).write(make()) };
    }
    // SAFETY: all of it was written, on the heap that a box is freed to.
    Ok(unsafe { Box::from_raw(core::ptr::slice_from_raw_parts_mut(first, count)) })
}

/// Zeroed pages for `count` values, which are never unmapped.
///
/// # Errors
/// `ENOMEM`.
///
/// # Safety
/// Zero bytes are a valid `T`.
pub unsafe fn pages<T>(count: usize) -> Result<NonNull<T>, Errno> {
    let length = (size_of::<T>() * count).next_multiple_of(kernel::page_size());
    NonNull::new(kernel::map(length)?.cast()).ok_or(Errno(libc::ENOMEM))
}

/// Prefetches what lies at `address` and will be used soon. With thousands of requests in flight each has long left the
/// caches. Only a hint: nothing need be mapped there.
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
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, which never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::without_provenance(address)) };
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: the same.
    unsafe {
        core::arch::asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(any(not(any(target_arch = "x86_64", target_arch = "aarch64")), miri))]
    let _ = address;
}
