//! What a private ring is made of: the kernel's ring, the memory that it lies in, and the operations under way.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::rescue::Alarm;
use crate::engine::bare::{Bare, Room};
use crate::engine::operation::Operation;
use crate::host::kernel::{Errno, syscall};
use crate::host::memory;

/// The ring itself, and what belongs to it.
pub struct Parts {
    pub bare: Bare,
    _room: Room,
    /// What the operations under way are on, each of which knows its slot.
    pub slots: Slots,
    pub alarm: Alarm,
    /// The first free slot: its number plus 1, or 0.
    free: AtomicU32,
    /// The first that was never used. Its memory was not touched.
    fresh: AtomicU32,
    /// The narrower ring that this one has come in the place of. Nothing is under way there, but frames of the thread that a signal
    /// handler has interrupted may still look at it.
    narrower: Option<NonNull<Self>>,
}

/// What an operation is on that is under way, for other threads: they must not look at the operation itself, which may end at
/// any moment. There is one for each that may be in flight, so it is kept small, and tells rather too much than too little.
pub struct Slot {
    /// The descriptor and one more in the upper half, the lower half of the file's identity in the lower; 0: it is free.
    file: AtomicU64,
    /// See [`pages`]. While it is free: the number of the next that is, plus 1, or 0.
    pages: AtomicU64,
}

/// Bits for the number of pages, of which the most means that there is no end.
const COUNT: u32 = 19;
const ENDLESS: u64 = (1 << COUNT) - 1;

const PAGE: usize = 12;

/// The pages that bytes lie within: the number of the first, and how many.
const fn pages(start: usize, end: usize) -> u64 {
    if end <= start {
        return 0;
    }
    let (first, last) = ((start >> PAGE) as u64, ((end - 1) >> PAGE) as u64);
    let count = last - first + 1;
    first << COUNT | if count < ENDLESS { count } else { ENDLESS }
}

/// Whether any of the bytes may lie within these pages.
const fn are_among(start: usize, end: usize, pages: u64) -> bool {
    let (first, count) = (pages >> COUNT, pages & ENDLESS);
    let starts_before_the_end = count == ENDLESS || ((start >> PAGE) as u64) < first + count;
    end > start && count > 0 && (end - 1) as u64 >> PAGE >= first && starts_before_the_end
}

impl Slot {
    /// # Safety
    /// The operation is whole, and the caller's.
    pub(super) unsafe fn fill(&self, operation: NonNull<Operation>) {
        // SAFETY: the caller's promise.
        let this = unsafe { operation.as_ref() };
        // SAFETY: the same.
        let (start, end) = unsafe { this.memory() };
        self.pages.store(pages(start, end), Ordering::Relaxed);
        let file = (this.fd as u64 + 1) << 32 | u64::from(this.file as u32);
        // Release pairs with the Acquire of `is_on`: who sees the file sees the memory.
        self.file.store(file, Ordering::Release);
    }

    /// Whether it stands for an operation on this. Any thread may ask.
    pub(super) fn is_on(&self, what: On) -> bool {
        let known = self.file.load(Ordering::Acquire);
        let is_by = |fd: i32| known >> 32 == fd as u64 + 1;
        known != 0
            && match what {
                On::Anything => true,
                On::Descriptor(fd) => is_by(fd),
                On::File(fd, file) => is_by(fd) || known as u32 == file as u32,
                On::Memory(start, end) => are_among(start, end, self.pages.load(Ordering::Relaxed)),
            }
    }
}

/// Which operations are meant.
#[derive(Clone, Copy, Debug)]
pub enum On {
    /// All.
    Anything,
    /// Those that were submitted with this descriptor.
    Descriptor(i32),
    /// Those, and the others on the file of this [identity](crate::host::files::Facts::identity); perhaps some on another.
    File(i32, u64),
    /// Those with buffers within these bytes, from the first to the one behind the last; and perhaps some that only have a page
    /// in common with them, or between whose buffers these lie.
    Memory(usize, usize),
}

/// A slot for each completion that fits.
pub struct Slots {
    first: NonNull<Slot>,
    count: u32,
}

impl Slots {
    /// Empty slots.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn new(count: u32) -> Result<Self, Errno> {
        // SAFETY: zero bytes are an empty slot.
        let first = unsafe { memory::pages(count as usize) }?;
        Ok(Self { first, count })
    }

    pub(super) fn all(&self) -> &[Slot] {
        // SAFETY: as many as were made, which stay as long as this.
        unsafe { core::slice::from_raw_parts(self.first.as_ptr(), self.count as usize) }
    }
}

impl Slots {
    /// Gives back what the slots, which are all free and will not be used again, take: they are empty ones, as at first.
    fn forget(&self) {
        let length = self.count as usize * size_of::<Slot>();
        // SAFETY: zero bytes are an empty slot, and none holds an operation.
        let _ = unsafe { syscall!(libc::SYS_madvise, self.first.as_ptr(), length, libc::MADV_DONTNEED) };
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        let length = self.count as usize * size_of::<Slot>();
        // SAFETY: made by `new`, in whole pages, as the kernel counts them here too.
        let _ = unsafe { syscall!(libc::SYS_munmap, self.first.as_ptr(), length) };
    }
}

impl Parts {
    pub const fn new(bare: Bare, room: Room, slots: Slots, alarm: Alarm) -> Self {
        Self { bare, _room: room, slots, alarm, free: AtomicU32::new(0), fresh: AtomicU32::new(0), narrower: None }
    }

    /// Takes the place of a narrower ring, which is kept.
    ///
    /// # Safety
    /// It was boxed, is the caller's to free, and has nothing under way.
    pub(super) unsafe fn replace(&mut self, narrower: NonNull<Self>) {
        // SAFETY: the caller's promise.
        unsafe { narrower.as_ref() }.slots.forget();
        self.narrower = Some(narrower);
    }

    /// Completions that fit, and slots.
    pub(super) const fn places(&self) -> u32 {
        self.slots.count
    }

    /// Ends the kernel's rings before their thread ends.
    ///
    /// # Safety
    /// The caller is that thread.
    pub(super) unsafe fn end(&self) {
        // SAFETY: the caller's promise; the narrower one stays as long as this one.
        unsafe {
            self.bare.end();
            if let Some(narrower) = self.narrower {
                narrower.as_ref().end();
            }
        }
    }

    /// A free slot, of which there is one for each operation that may be under way. For the ring's thread, within a batch: so
    /// nobody else takes one, and what is read of the first stays true while it is the first.
    pub(super) fn free_slot(&self) -> Option<(u32, &Slot)> {
        let slots = self.slots.all();
        let mut first = self.free.load(Ordering::Acquire);
        while let Some(index) = first.checked_sub(1) {
            let slot = slots.get(index as usize)?;
            let next = slot.pages.load(Ordering::Relaxed) as u32;
            // Acquire pairs with the Release of `free`, here and above: the slot's next is seen.
            match self.free.compare_exchange(first, next, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return Some((index, slot)),
                Err(now) => first = now,
            }
        }
        let index = self.fresh.load(Ordering::Relaxed);
        let slot = slots.get(index as usize)?;
        self.fresh.store(index + 1, Ordering::Relaxed);
        Some((index, slot))
    }

    /// Puts a slot back that was taken and not filled, or is emptied with this.
    pub(super) fn free(&self, index: u32) {
        let Some(slot) = self.slots.all().get(index as usize) else { return };
        // Relaxed: one thread fills slots, and whoever claimed the completion has the slot alone.
        slot.file.store(0, Ordering::Relaxed);
        let mut first = self.free.load(Ordering::Relaxed);
        loop {
            slot.pages.store(first.into(), Ordering::Relaxed);
            // Release pairs with the Acquire of `free_slot`.
            match self.free.compare_exchange_weak(first, index + 1, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => first = now,
            }
        }
    }

    /// The operation of a completion, whose slot is free from here on.
    ///
    /// # Safety
    /// It was added here, and the caller has claimed its completion, or the kernel has not taken it.
    pub(super) unsafe fn take_back(&self, data: u64) -> Option<NonNull<Operation>> {
        let operation = NonNull::new(data as *mut Operation)?;
        // SAFETY: the caller's promise.
        self.free(unsafe { operation.as_ref() }.place);
        Some(operation)
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        if let Some(narrower) = self.narrower {
            // SAFETY: boxed, and this one's to free, by the promise of `replace`; nobody looks at either any more.
            drop(unsafe { Box::from_raw(narrower.as_ptr()) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{are_among, pages};

    #[test]
    fn finds_what_lies_within() {
        let some = pages(0x7f12_3456_7200, 0x7f12_3456_9001);
        for (start, end, lies) in [
            (0, usize::MAX, true),
            (0x7f12_3456_7000, 0x7f12_3456_8000, true),
            (0x7f12_3456_8000, 0x7f12_3456_9000, true),
            (0x7f12_3456_9000, 0x7f12_3456_a000, true),
            (0x7f12_3456_a000, 0x7f12_3456_b000, false),
            (0x7f12_3456_6000, 0x7f12_3456_7000, false),
            (0x7f12_3456_8000, 0x7f12_3456_8000, false),
        ] {
            assert_eq!(are_among(start, end, some), lies, "{start:x} to {end:x}");
        }
        let huge = pages(0x1000, 0x7f00_0000_0000);
        assert!(are_among(0x7eff_ffff_f000, 0x7f00_0000_0000, huge));
        assert!(!are_among(0, 0x1000, huge));
        // Vectors without a byte.
        assert!(!are_among(0, usize::MAX, pages(usize::MAX, 0)));
    }
}
