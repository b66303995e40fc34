//! What a private ring is made of: the kernel's ring, the memory that it lies in, and the operations under way.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::COMPLETIONS;
use crate::engine::bare::{Bare, Room};
use crate::engine::operation::Operation;
use crate::host::kernel::{Errno, syscall};
use crate::host::memory;

/// The ring itself, and what belongs to it.
pub struct Parts {
    pub bare: Bare,
    _room: Room,
    /// The operations under way, by the number that their completions carry.
    pub slots: Slots,
    /// Where to look for a free slot.
    next: AtomicU32,
}

/// An operation for each completion that fits.
pub struct Slots(NonNull<AtomicPtr<Operation>>);

impl Slots {
    /// Empty slots.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn new() -> Result<Self, Errno> {
        // SAFETY: zero bytes are null, an empty slot.
        unsafe { memory::pages(COMPLETIONS as usize) }.map(Self)
    }

    pub(super) fn all(&self) -> &[AtomicPtr<Operation>] {
        // SAFETY: as many as were made, which stay until `unmap`.
        unsafe { core::slice::from_raw_parts(self.0.as_ptr(), COMPLETIONS as usize) }
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        let length = COMPLETIONS as usize * size_of::<AtomicPtr<Operation>>();
        // SAFETY: made by `new`, in whole pages.
        let _ = unsafe { syscall!(libc::SYS_munmap, self.0.as_ptr(), length) };
    }
}

const _: () = assert!((COMPLETIONS as usize * size_of::<AtomicPtr<Operation>>()).is_multiple_of(4096));

impl Parts {
    pub const fn new(bare: Bare, room: Room, slots: Slots) -> Self {
        Self { bare, _room: room, slots, next: AtomicU32::new(0) }
    }

    /// A free slot, of which there is one for each operation that may be under way.
    pub(super) fn free_slot(&self) -> (u32, &AtomicPtr<Operation>) {
        let slots = self.slots.all();
        let mut index = self.next.load(Ordering::Relaxed) % COMPLETIONS;
        while !slots[index as usize].load(Ordering::Relaxed).is_null() {
            index = (index + 1) % COMPLETIONS;
        }
        self.next.store(index + 1, Ordering::Relaxed);
        (index, &slots[index as usize])
    }

    /// The operation in a slot, which is free from here on.
    pub(super) fn take_slot(&self, index: usize) -> Option<NonNull<Operation>> {
        // Relaxed: one thread fills slots, and whoever claimed the completion has the slot alone.
        let slot = self.slots.all().get(index)?;
        let operation = slot.load(Ordering::Relaxed);
        slot.store(ptr::null_mut(), Ordering::Relaxed);
        NonNull::new(operation)
    }
}
