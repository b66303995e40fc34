//! Memory that may be refused: where the heap is exhausted, a request fails and the program does not end.

use core::ptr::NonNull;
use std::alloc::{Layout, alloc};

use super::kernel::{self, Errno};

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
    let length = (size_of::<T>() * count).next_multiple_of(4096);
    NonNull::new(kernel::map(length)?.cast()).ok_or(Errno(libc::ENOMEM))
}
