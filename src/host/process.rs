//! State that belongs to one process: made at its first use, unknown to a forked child, which makes its own.
//!
//! A fork copies memory but only one thread. Whatever an engine's thread was in the midst of is meaningless in the child,
//! so the roots of all our state lie in one page that the kernel empties on fork (`MADV_WIPEONFORK`): the child sees a
//! library that was never used, with no handler that has to run and no lock that may be held. What the parent had allocated
//! stays in the child's memory, unreachable and untouched.

use core::marker::PhantomData;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::kernel::{self, Errno, syscall};

const PAGE: usize = 4096;
const PLACES: usize = 8;

#[repr(C)]
struct Page {
    places: [AtomicPtr<()>; PLACES],
}

/// The page, once mapped. A child inherits the mapping, emptied.
static ROOTS: AtomicPtr<Page> = AtomicPtr::new(ptr::null_mut());

fn roots() -> Result<&'static Page, Errno> {
    // Acquire pairs with the Release below: the page is mapped and advised.
    let page = ROOTS.load(Ordering::Acquire);
    if !page.is_null() {
        // SAFETY: published pages are never unmapped, and atomics of zero bytes are valid.
        return Ok(unsafe { &*page });
    }
    let fresh = kernel::map(PAGE)?.cast::<Page>();
    // SAFETY: advises the page just mapped.
    let advised = unsafe { syscall!(libc::SYS_madvise, fresh, PAGE, libc::MADV_WIPEONFORK) };
    let published = advised.and_then(|_| {
        ROOTS
            .compare_exchange(ptr::null_mut(), fresh, Ordering::Release, Ordering::Acquire)
            .map_or_else(Ok, |_| Ok(fresh))
    });
    if published != Ok(fresh) {
        // SAFETY: unmaps the page that nobody else has seen.
        let _ = unsafe { syscall!(libc::SYS_munmap, fresh, PAGE) };
    }
    // SAFETY: as above.
    published.map(|page| unsafe { &*page })
}

/// One value of this process, made on demand. Each has a place of its own in the page.
pub struct PerProcess<T: 'static> {
    place: usize,
    holds: PhantomData<&'static T>,
}

// SAFETY: hands out shared references alone, to values that are themselves shareable.
unsafe impl<T: Sync + 'static> Sync for PerProcess<T> {}

impl<T: Sync + 'static> PerProcess<T> {
    /// The value at `place`, which no other may use.
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
        let page = ROOTS.load(Ordering::Acquire);
        if page.is_null() {
            return None;
        }
        // SAFETY: published pages are never unmapped. Acquire pairs with the Release of `get_or_init`: the value is whole.
        let value = unsafe { (*page).places[self.place].load(Ordering::Acquire) }.cast::<T>();
        // SAFETY: a value in the page was leaked by `get_or_init` and lives as long as the process.
        (!value.is_null()).then(|| unsafe { &*value })
    }

    /// The value; `make` makes it where there is none. Where two threads make it at once, one value wins and the other is
    /// dropped, so `make` has no effects that outlive its value. Nobody waits: a fork can come at any moment.
    ///
    /// # Errors
    /// `ENOMEM`, or what `make` answers.
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
                // SAFETY: ours was never published.
                drop(unsafe { Box::from_raw(fresh) });
                // SAFETY: a published value lives as long as the process.
                Ok(unsafe { &*earlier.cast::<T>() })
            }
        }
    }
}
