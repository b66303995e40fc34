//! Descriptors of plain files that were read or written in place: what need not be asked again the next time.
//!
//! A memory that is wrong (a number closed out of our sight) makes an attempt fail or take long, and never puts bytes in a
//! wrong place or order: what is not done in place is looked at afresh.

use core::ffi::c_int;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::host::descriptors;

/// What is remembered of one descriptor.
struct Place {
    /// The descriptor and its generation, from 1 on; 0 is nothing.
    name: AtomicU64,
    /// A size that its file has had, and [`MEMORY`].
    size: AtomicU64,
}

/// The bit that says that the file system has nothing but memory. Sizes do not reach it.
const MEMORY: u64 = 1 << 63;

static PLACES: [Place; 256] = [const { Place { name: AtomicU64::new(0), size: AtomicU64::new(0) } }; 256];

/// A plain file: regular, without open flags that make a transfer wait or keep an order, on a file system of this machine.
#[derive(Clone, Copy)]
pub struct KnownFile {
    /// It is at least as large, unless it was cut.
    pub size: u64,
    /// Whether the file system has nothing but memory.
    pub in_memory: bool,
}

fn place(fd: c_int) -> (&'static Place, u64) {
    let name = (fd as u64 + 1) << 32 | u64::from(descriptors::flags_generation(fd));
    (&PLACES[fd as usize % PLACES.len()], name)
}

/// What is known of the file behind `fd`.
#[inline]
pub fn recall(fd: c_int) -> Option<KnownFile> {
    let (place, name) = place(fd);
    // Acquire pairs with the Release below: the size belongs to the name, or to a later one.
    (place.name.load(Ordering::Acquire) == name).then(|| {
        let size = place.size.load(Ordering::Relaxed);
        KnownFile { size: size & !MEMORY, in_memory: size & MEMORY != 0 }
    })
}

/// This is known of the file behind `fd`.
pub fn note(fd: c_int, known: KnownFile) {
    let (place, name) = place(fd);
    let size = known.size | if known.in_memory { MEMORY } else { 0 };
    if place.size.load(Ordering::Relaxed) != size {
        place.size.store(size, Ordering::Relaxed);
    }
    if place.name.load(Ordering::Relaxed) != name {
        place.name.store(name, Ordering::Release);
    }
}
