//! What a private ring is made of: the kernel's ring, the memory that it lies in, and the operations under way.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use super::rescue::Alarm;
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
    pub alarm: Alarm,
    /// Where to look for a free slot.
    next: AtomicU32,
    /// The narrower ring that this one has come in the place of. Nothing is under way there, but frames of the thread that a signal
    /// handler has interrupted may still look at it.
    narrower: Option<NonNull<Self>>,
}

/// Completions kept for waits on words.
const RESERVE: u32 = 8;

/// An operation that is under way.
pub struct Slot {
    operation: AtomicPtr<Operation>,
    /// What it is on, for other threads: they must not look at the operation itself, which may end at any moment.
    fd: AtomicI32,
    file: AtomicU64,
    /// The bytes that its buffers lie within.
    start: AtomicUsize,
    end: AtomicUsize,
}

impl Slot {
    /// # Safety
    /// The operation is whole, and the caller's.
    pub(super) unsafe fn fill(&self, operation: NonNull<Operation>) {
        // SAFETY: the caller's promise.
        let this = unsafe { operation.as_ref() };
        self.fd.store(this.fd, Ordering::Relaxed);
        self.file.store(this.file, Ordering::Relaxed);
        // SAFETY: the same.
        let (start, end) = unsafe { this.memory() };
        self.start.store(start, Ordering::Relaxed);
        self.end.store(end, Ordering::Relaxed);
        // Release pairs with the Acquire of `is_on`: who sees the operation sees what it is on.
        self.operation.store(operation.as_ptr(), Ordering::Release);
    }

    /// The operation. For the ring's own thread.
    pub(super) fn operation(&self) -> Option<NonNull<Operation>> {
        NonNull::new(self.operation.load(Ordering::Relaxed))
    }

    /// Whether it holds an operation on this. Any thread may ask.
    pub(super) fn is_on(&self, what: On) -> bool {
        !self.operation.load(Ordering::Acquire).is_null()
            && match what {
                On::Anything => true,
                On::Descriptor(fd) => self.fd.load(Ordering::Relaxed) == fd,
                On::File(fd, file) => {
                    self.fd.load(Ordering::Relaxed) == fd || self.file.load(Ordering::Relaxed) == file
                }
                On::Memory(start, end) => {
                    self.start.load(Ordering::Relaxed) < end && self.end.load(Ordering::Relaxed) > start
                }
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
    /// Those, and the others on the file of this [identity](crate::host::files::Facts::identity).
    File(i32, u64),
    /// Those with buffers within these bytes, from the first to the one behind the last; and perhaps some between whose buffers
    /// these lie.
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

impl Drop for Slots {
    fn drop(&mut self) {
        let length = self.count as usize * size_of::<Slot>();
        // SAFETY: made by `new`, in whole pages, as the kernel counts them here too.
        let _ = unsafe { syscall!(libc::SYS_munmap, self.first.as_ptr(), length) };
    }
}

impl Parts {
    pub const fn new(bare: Bare, room: Room, slots: Slots, alarm: Alarm) -> Self {
        Self { bare, _room: room, slots, alarm, next: AtomicU32::new(0), narrower: None }
    }

    /// Takes the place of a narrower ring, which is kept.
    ///
    /// # Safety
    /// It was boxed, and is the caller's to free.
    pub(super) const unsafe fn replace(&mut self, narrower: NonNull<Self>) {
        self.narrower = Some(narrower);
    }

    /// The most operations that may be under way.
    pub(super) const fn most(&self) -> u32 {
        self.slots.count - RESERVE
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

    /// A free slot, of which there is one for each operation that may be under way.
    pub(super) fn free_slot(&self) -> (u32, &Slot) {
        let slots = self.slots.all();
        let mut index = self.next.load(Ordering::Relaxed) % self.slots.count;
        while slots[index as usize].operation().is_some() {
            index = (index + 1) % self.slots.count;
        }
        self.next.store(index + 1, Ordering::Relaxed);
        (index, &slots[index as usize])
    }

    /// The operation in a slot, which is free from here on.
    pub(super) fn take_slot(&self, index: usize) -> Option<NonNull<Operation>> {
        // Relaxed: one thread fills slots, and whoever claimed the completion has the slot alone.
        let slot = self.slots.all().get(index)?;
        let operation = slot.operation();
        slot.operation.store(ptr::null_mut(), Ordering::Relaxed);
        operation
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
