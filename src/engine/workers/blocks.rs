//! An array that grows without moving: items at fixed addresses, found by number, zeroed when they come into being.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::host::kernel::Errno;
use crate::host::memory;

/// Items of the first block; each block after it holds twice as many as the one before.
const FIRST_BLOCK_ITEMS: usize = 64;
const BLOCKS: usize = 24;

/// The array.
pub struct Blocks<T> {
    blocks: [AtomicPtr<T>; BLOCKS],
}

const fn place(number: usize) -> (usize, usize) {
    let place = number + FIRST_BLOCK_ITEMS;
    let block = (place.ilog2() - FIRST_BLOCK_ITEMS.ilog2()) as usize;
    (block, place - (FIRST_BLOCK_ITEMS << block))
}

impl<T: Sync + 'static> Blocks<T> {
    /// An array without items.
    ///
    /// # Safety
    /// Zero bytes are a valid `T`.
    #[must_use]
    pub const unsafe fn new() -> Self {
        Self { blocks: [const { AtomicPtr::new(ptr::null_mut()) }; BLOCKS] }
    }

    /// The item with this number, if it was made.
    pub fn get(&self, number: usize) -> Option<&'static T> {
        let (block, index) = place(number);
        // Acquire pairs with the Release of `make`.
        let first = self.blocks.get(block)?.load(Ordering::Acquire);
        // SAFETY: within the block, which is never freed and holds valid items.
        (!first.is_null()).then(|| unsafe { &*first.add(index) })
    }

    /// The item with this number, made if need be. One thread at a time makes items.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn make(&self, number: usize) -> Result<&'static T, Errno> {
        if let Some(item) = self.get(number) {
            return Ok(item);
        }
        let block = place(number).0;
        let slot = self.blocks.get(block).ok_or(Errno(libc::ENOMEM))?;
        // SAFETY: zero bytes are a valid item, by the promise of `new`.
        let items = unsafe { memory::pages::<T>(FIRST_BLOCK_ITEMS << block) }?;
        slot.store(items.as_ptr(), Ordering::Release);
        self.get(number).ok_or(Errno(libc::ENOMEM))
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicU32, Ordering};

    use super::{Blocks, FIRST_BLOCK_ITEMS};

    #[test]
    fn items_are_distinct_and_stay() {
        // SAFETY: zero bytes are a valid number.
        let blocks = unsafe { Blocks::<AtomicU32>::new() };
        assert!(blocks.get(0).is_none());
        for number in 0..FIRST_BLOCK_ITEMS * 9 {
            blocks.make(number).unwrap_or_else(|_| std::process::abort()).store(number as u32, Ordering::Relaxed);
        }
        for number in 0..FIRST_BLOCK_ITEMS * 9 {
            assert_eq!(blocks.get(number).map(|item| item.load(Ordering::Relaxed)), Some(number as u32));
        }
        assert!(blocks.get(usize::MAX / 2).is_none());
    }
}
