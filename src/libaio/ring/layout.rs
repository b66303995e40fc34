//! The layout of a completion ring: the kernel's `struct aio_ring` of fs/aio.c.

use core::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering, compiler_fence};

/// The value of [`Header::magic`].
pub const MAGIC: u32 = 0xa10a_10a1;

/// The ring's first bytes.
#[repr(C)]
pub struct Header {
    /// The kernel's own number of the context.
    pub id: AtomicU32,
    /// Slots.
    pub nr: AtomicU32,
    /// The slot that is read next.
    pub head: AtomicU32,
    /// The slot that is written next.
    pub tail: AtomicU32,
    /// [`MAGIC`]
    pub magic: AtomicU32,
    /// 1
    pub compat_features: AtomicU32,
    /// 0
    pub incompat_features: AtomicU32,
    /// Bytes of this header.
    pub length: AtomicU32,
}

/// One event, as it lies in the ring.
#[repr(C)]
pub struct Slot {
    /// See [`Event`].
    pub data: AtomicU64,
    /// See [`Event`].
    pub object: AtomicU64,
    /// See [`Event`].
    pub result: AtomicI64,
    /// See [`Event`].
    pub result2: AtomicI64,
}

/// One event, `struct io_event` of libaio.h.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// `aio_data` of the iocb at submission.
    pub data: u64,
    /// The iocb's address.
    pub object: u64,
    /// A count or the like, or `-errno`.
    pub result: i64,
    /// 0
    pub result2: i64,
}

impl Event {
    /// Writes the event, `object` last: a signal handler that interrupts this finds no other field missing beside it.
    ///
    /// # Safety
    /// `to` can be written. It need not be aligned.
    #[inline]
    pub unsafe fn write_object_last(self, to: *mut Self) {
        // SAFETY: the caller's promise.
        unsafe {
            (&raw mut (*to).result).write_unaligned(self.result);
            (&raw mut (*to).result2).write_unaligned(self.result2);
            (&raw mut (*to).data).write_unaligned(self.data);
            compiler_fence(Ordering::SeqCst);
            (&raw mut (*to).object).write_unaligned(self.object);
        }
    }
}

/// Bytes of the header.
pub const HEADER_BYTES: usize = size_of::<Header>();
/// Bytes of an event.
pub const SLOT_BYTES: usize = size_of::<Slot>();
const _: () = assert!(HEADER_BYTES == 32 && SLOT_BYTES == 32 && size_of::<Event>() == SLOT_BYTES);

/// The header of a ring that may be the kernel's, as it was at one moment.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HeaderCopy {
    id: u32,
    nr: u32,
    head: u32,
    tail: u32,
    magic: u32,
    rest: [u32; 3],
}

const _: () = assert!(size_of::<HeaderCopy>() == HEADER_BYTES);

impl HeaderCopy {
    /// Reads what lies at `address`. It need not be a ring, nor aligned.
    ///
    /// # Safety
    /// [`HEADER_BYTES`] can be read there.
    pub unsafe fn read(address: usize) -> Self {
        // SAFETY: the caller's promise.
        unsafe { (address as *const Self).read_unaligned() }
    }

    /// Whether it is a ring without events.
    pub const fn is_empty(&self) -> bool {
        self.magic == MAGIC && self.head == self.tail
    }

    /// Whether it is a ring of so many slots.
    pub const fn has_slots(&self, nr: u32) -> bool {
        self.magic == MAGIC && self.nr == nr
    }
}
