//! How many requests and the like hold each descriptor of the workers' table.
//!
//! The reactor alone adds holders. Any thread takes its own away; the last one closes the file.

use core::ffi::c_int;
use core::sync::atomic::{AtomicU32, Ordering};

use super::blocks::Blocks;
use crate::host::kernel::Errno;

/// How many hold each descriptor.
pub struct Holders(Blocks<AtomicU32>);

impl Holders {
    pub const fn new() -> Self {
        // SAFETY: zero bytes are a valid number.
        Self(unsafe { Blocks::new() })
    }

    /// One holder fewer. True: it was the last, and the file is the caller's to close.
    pub fn release(&self, ours: c_int) -> bool {
        // Release and Acquire: the last one sees what all did.
        self.0.get(ours as usize).is_some_and(|count| count.fetch_sub(1, Ordering::AcqRel) == 1)
    }

    /// One holder more of a descriptor that has one. For the reactor.
    pub fn retain(&self, ours: c_int) -> bool {
        let Some(count) = self.0.get(ours as usize) else { return false };
        let mut now = count.load(Ordering::Relaxed);
        while now > 0 {
            match count.compare_exchange_weak(now, now + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(other) => now = other,
            }
        }
        false
    }

    /// How many holders there are. For the reactor, while it is a holder; others may be fewer at once.
    pub fn count(&self, ours: c_int) -> u32 {
        // Acquire pairs with the Release of `release`.
        self.0.get(ours as usize).map_or(0, |count| count.load(Ordering::Acquire))
    }

    /// A new descriptor, with one holder.
    pub fn begin(&self, ours: c_int) -> Result<(), Errno> {
        self.0.make(ours as usize)?.store(1, Ordering::Relaxed);
        Ok(())
    }
}
