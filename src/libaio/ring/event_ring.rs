//! The completion ring in memory, which programs read themselves.
//!
//! The program may write into its mapping, move it, or unmap it. The library reads and writes through a second mapping of
//! the same memory.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::Ordering;

use super::layout::{Event, HEADER_BYTES, Header, MAGIC, Slot};
use super::ring_memory::RingMemory;
use super::ring_size::RingSize;
use crate::host::kernel::{Errno, syscall};

/// The library's mapping of a ring.
///
/// **`ring-is-mapped`**: the mapping stays as long as the `EventRing`.
pub struct EventRing {
    memory: *mut c_void,
    length: usize,
    nr: u32,
}

// SAFETY: all access to the memory is by atomics.
unsafe impl Send for EventRing {}
// SAFETY: the same.
unsafe impl Sync for EventRing {}

impl EventRing {
    /// A ring of no events: a context that is not in use has it.
    pub const NONE: Self = Self { memory: ptr::null_mut(), length: 0, nr: 0 };

    /// Makes a ring, and gives the address of the program's mapping, too.
    ///
    /// # Errors
    /// `ENOMEM`, or another answer of the kernel's.
    pub fn new(RingSize { nr, length }: RingSize, memory: &mut RingMemory) -> Result<(Self, usize), Errno> {
        let ours = memory.take(length)?;
        // SAFETY: a new mapping at an address of the kernel's choice. An old size of 0 makes mremap map the same pages again
        // (mremap(2)).
        let theirs = unsafe { syscall!(libc::SYS_mremap, ours, 0, length, libc::MREMAP_MAYMOVE) }
            .inspect_err(|_| memory.give_back(ours, length))?;
        // SAFETY: advises that mapping, which a child inherits, as it does the kernel's.
        let _ = unsafe { syscall!(libc::SYS_madvise, theirs, length, libc::MADV_DOFORK) };
        let ring = Self { memory: ours as *mut c_void, length, nr };
        let header = ring.header();
        for (field, value) in [
            (&header.nr, nr),
            (&header.magic, MAGIC),
            (&header.compat_features, 1),
            (&header.length, HEADER_BYTES as u32),
        ] {
            // Relaxed: the program learns of the ring later.
            field.store(value, Ordering::Relaxed);
        }
        Ok((ring, theirs))
    }

    /// Slots for events, of which one always stays empty.
    pub const fn nr(&self) -> u32 {
        self.nr
    }

    /// Bytes of the mapping.
    pub const fn length(&self) -> usize {
        self.length
    }

    const fn header(&self) -> &Header {
        // SAFETY: ring-is-mapped; it begins with the header.
        unsafe { &*self.memory.cast::<Header>() }
    }

    fn slot(&self, index: u32) -> &Slot {
        debug_assert!(index < self.nr);
        // SAFETY: ring-is-mapped; indices are below `nr`, and as many slots follow the header.
        unsafe { &*self.memory.byte_add(HEADER_BYTES).cast::<Slot>().add(index as usize) }
    }

    /// The slot after this one.
    pub const fn after(&self, index: u32) -> u32 {
        if index + 1 == self.nr { 0 } else { index + 1 }
    }

    /// Slots from `from` to `to`.
    pub const fn distance(&self, from: u32, to: u32) -> u32 {
        if to >= from { to - from } else { to + self.nr - from }
    }

    /// The slot that is read next. A program that advances the head itself may write any number.
    pub fn head(&self) -> u32 {
        // Acquire pairs with the Release of the reader that has read the slots before it: they are free.
        let head = self.header().head.load(Ordering::Acquire);
        if head < self.nr { head } else { head % self.nr }
    }

    /// Frees the slot at the head, which is `head`. The head from then on.
    ///
    /// # Errors
    /// The head is this one by now.
    pub fn move_head(&self, head: u32) -> Result<u32, u32> {
        let (word, next) = (&self.header().head, self.after(head));
        // Release pairs with the Acquire in `head`: the slot has been read.
        match word.compare_exchange(head, next, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => Ok(next),
            // The program wrote a number beyond the ring, which means the same slot.
            Err(odd) if odd >= self.nr && odd % self.nr == head => word
                .compare_exchange(odd, next, Ordering::Release, Ordering::Relaxed)
                .map(|_| next)
                .map_err(|_| self.head()),
            Err(_) => Err(self.head()),
        }
    }

    /// Shows the program the events before `tail`.
    pub fn set_tail(&self, tail: u32) {
        // Release pairs with the Acquire of the program, which reads whole events.
        self.header().tail.store(tail, Ordering::Release);
    }

    /// The tail that the program sees.
    pub fn visible_tail(&self) -> u32 {
        // Acquire: what is loaded afterwards is not older.
        self.header().tail.load(Ordering::Acquire)
    }

    /// Shows the program the events before `tail`, where it sees those before `visible` yet. Whether it did.
    pub fn advance_tail(&self, visible: u32, tail: u32) -> bool {
        // Release as in `set_tail`.
        self.header().tail.compare_exchange(visible, tail, Ordering::Release, Ordering::Relaxed).is_ok()
    }

    /// Writes an event, which no reader looks at before [`EventRing::set_tail`].
    pub fn write(&self, index: u32, event: &Event) {
        // Relaxed: published by `set_tail`, and for the library's reapers by `EventWriter::position`.
        let slot = self.slot(index);
        slot.data.store(event.data, Ordering::Relaxed);
        slot.object.store(event.object, Ordering::Relaxed);
        slot.result.store(event.result, Ordering::Relaxed);
        slot.result2.store(event.result2, Ordering::Relaxed);
    }

    /// Reads an event.
    pub fn read(&self, index: u32) -> Event {
        // Relaxed: ordered by the Acquire with which the tail was read.
        let slot = self.slot(index);
        Event {
            data: slot.data.load(Ordering::Relaxed),
            object: slot.object.load(Ordering::Relaxed),
            result: slot.result.load(Ordering::Relaxed),
            result2: slot.result2.load(Ordering::Relaxed),
        }
    }

    /// Gives back its memory.
    pub fn give_back(self, memory: &mut RingMemory) {
        memory.give_back(self.memory as usize, self.length);
    }
}

/// Unmaps a mapping of a ring.
pub fn unmap(address: usize, length: usize) {
    // SAFETY: the callers made the mapping, and no thread uses it any more.
    let _ = unsafe { syscall!(libc::SYS_munmap, address, length) };
}
