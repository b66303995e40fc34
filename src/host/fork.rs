//! State that belongs to one process: made at its first use, and unknown to a forked child, which makes its own.
//!
//! A fork copies the memory and one thread. What the other threads were doing is lost, so a copy of their state is of
//! no use. The roots of all state therefore lie in one page that the kernel empties in a forked child
//! (`MADV_WIPEONFORK`). The child finds a library that was never used: no handler has to run at the fork, and no lock
//! is held. What the parent had allocated stays in the child's memory, and nothing refers to it.

use core::marker::PhantomData;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::kernel::{self, Errno, syscall};

const PLACES: usize = 16;

#[repr(C)]
struct Page {
    places: [AtomicPtr<()>; PLACES],
}

/// The page, once mapped. A forked child inherits the mapping, emptied.
static ROOTS: AtomicPtr<Page> = AtomicPtr::new(ptr::null_mut());

fn roots() -> Result<&'static Page, Errno> {
    #[cfg(test)]
    if let Some(page) = super::simulation::roots() {
        // SAFETY: zeroed memory of the simulation's, which outlives what is in it.
        return Ok(unsafe { page.cast::<Page>().as_ref() });
    }
    // SAFETY: atomics of zero bytes are valid; nothing else stores there.
    unsafe { emptied_by_fork(&ROOTS) }
}

/// The page, or null where it is not mapped.
#[inline]
fn published() -> *const Page {
    #[cfg(test)]
    if let Some(page) = super::simulation::roots() {
        return page.as_ptr().cast();
    }
    ROOTS.load(Ordering::Acquire)
}

/// What `place` points to: a `T` in pages that the kernel empties in a forked child, mapped by the first call.
///
/// # Errors
/// `ENOMEM`; `EINVAL`: before Linux 4.14.
///
/// # Safety
/// Zero bytes are a valid `T`, and `place` is null until this function stores there.
pub unsafe fn emptied_by_fork<T>(place: &AtomicPtr<T>) -> Result<&'static T, Errno> {
    // Acquire pairs with the Release below: the pages are mapped and advised.
    let known = place.load(Ordering::Acquire);
    if !known.is_null() {
        // SAFETY: published pages are never unmapped, and zero bytes are valid.
        return Ok(unsafe { &*known });
    }
    let fresh = kernel::map(size_of::<T>())?.cast::<T>();
    // SAFETY: advises the pages just mapped.
    let advised = unsafe { syscall!(libc::SYS_madvise, fresh, size_of::<T>(), libc::MADV_WIPEONFORK) };
    let published = advised.and_then(|_| {
        let exchanged = place.compare_exchange(ptr::null_mut(), fresh, Ordering::Release, Ordering::Acquire);
        exchanged.map_or_else(Ok, |_| Ok(fresh))
    });
    if published != Ok(fresh) {
        // SAFETY: unmaps pages that no other thread has seen.
        let _ = unsafe { syscall!(libc::SYS_munmap, fresh, size_of::<T>()) };
    }
    // SAFETY: as above.
    published.map(|value| unsafe { &*value })
}

/// A value of this process, made at its first use. Each has a place of its own in the page.
pub struct PerProcess<T: 'static> {
    place: usize,
    holds: PhantomData<&'static T>,
}

// SAFETY: hands out shared references alone, to values that are themselves shareable.
unsafe impl<T: Sync + 'static> Sync for PerProcess<T> {}

impl<T: Sync + 'static> PerProcess<T> {
    /// The value at `place`. No two values may have the same.
    ///
    /// # Panics
    /// While compiling, if there is no such place.
    #[must_use]
    pub const fn new(place: usize) -> Self {
        assert!(place < PLACES);
        Self { place, holds: PhantomData }
    }

    /// The value, if this process has made it. Async-signal-safe.
    #[must_use]
    pub fn get(&self) -> Option<&'static T> {
        let page = published();
        if page.is_null() {
            return None;
        }
        // SAFETY: published pages are never unmapped. Acquire pairs with the Release of `get_or_init`: the value is
        // whole.
        let value = unsafe { (*page).places[self.place].load(Ordering::Acquire) }.cast::<T>();
        // SAFETY: a value in the page was leaked by `get_or_init` and lives as long as the process.
        (!value.is_null()).then(|| unsafe { &*value })
    }

    /// The value; `make` makes it where there is none. If two threads make it at once, one of the values is kept and
    /// the other is dropped, so `make` must have no effects beside its value. No thread waits for another: a fork can
    /// come at any time.
    ///
    /// # Errors
    /// `ENOMEM`, or the error of `make`.
    pub fn get_or_init(&self, make: impl FnOnce() -> Result<Box<T>, Errno>) -> Result<&'static T, Errno> {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        let place = &roots()?.places[self.place];
        let fresh = Box::into_raw(make()?);
        match place.compare_exchange(ptr::null_mut(), fresh.cast(), Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: leaked above, and published for good.
            Ok(_) => Ok(unsafe { &*fresh }),
            Err(earlier) => {
                // SAFETY: this one was never published.
                drop(unsafe { Box::from_raw(fresh) });
                // SAFETY: a published value lives as long as the process.
                Ok(unsafe { &*earlier.cast::<T>() })
            }
        }
    }
}
