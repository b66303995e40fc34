//! The completion ring in memory, laid out as the kernel's (`struct aio_ring` of fs/aio.c), which programs read themselves.
//!
//! The program's mapping is the program's: it may write into it, move it, unmap it. We read and write through a second
//! mapping of the same memory.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

use super::ring_memory::RingMemory;
use crate::host::kernel::{Errno, syscall};

const PAGE: usize = 4096;
const MAGIC: u32 = 0xa10a_10a1;

/// What the ring begins with.
#[repr(C)]
pub struct Header {
    id: AtomicU32,
    nr: AtomicU32,
    head: AtomicU32,
    tail: AtomicU32,
    magic: AtomicU32,
    compat_features: AtomicU32,
    incompat_features: AtomicU32,
    length: AtomicU32,
}

/// One completion, `struct io_event` of libaio.h.
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

#[repr(C)]
struct Slot {
    data: AtomicU64,
    object: AtomicU64,
    result: AtomicI64,
    result2: AtomicI64,
}

const HEADER: usize = size_of::<Header>();
const SLOT: usize = size_of::<Slot>();
const _: () = assert!(HEADER == 32 && SLOT == 32 && size_of::<Event>() == SLOT);

/// What a program finds at the start of its own mapping, if that can be read.
///
/// # Safety
/// `address` can be read for the length of a header.
pub unsafe fn looks_empty(address: usize) -> bool {
    // SAFETY: the caller's promise. It need not be a ring, nor aligned.
    let word = |index: usize| unsafe { (address as *const u32).add(index).read_unaligned() };
    word(4) == MAGIC && word(2) == word(3)
}

/// Whether the ring at `address`, which is the kernel's, has `nr` events.
///
/// # Safety
/// `address` can be read for the length of a header.
pub unsafe fn has_size(address: usize, nr: u32) -> bool {
    // SAFETY: the caller's promise.
    let word = |index: usize| unsafe { (address as *const u32).add(index).read_unaligned() };
    word(4) == MAGIC && word(1) == nr
}

/// Our side of the ring.
pub struct EventRing {
    memory: *mut c_void,
    length: usize,
    nr: u32,
}

// SAFETY: all access to the memory is by atomics.
unsafe impl Send for EventRing {}
// SAFETY: the same.
unsafe impl Sync for EventRing {}

/// Events and bytes of the ring that the kernel makes for `io_setup(nr_events)` (ioctx_alloc and aio_setup_ring of
/// fs/aio.c): twice as many as asked for, at least eight for each CPU, two more, and then whole pages.
///
/// # Errors
/// `EINVAL`: too many; `EAGAIN`: none, after the kernel's own 32-bit arithmetic.
pub fn size(nr_events: u32) -> Result<(u32, usize), Errno> {
    let events = nr_events.max(possible_cpus().wrapping_mul(4)).wrapping_mul(2);
    if events as usize > 0x1000_0000 / SLOT {
        return Err(Errno(libc::EINVAL));
    }
    if events == 0 {
        return Err(Errno(libc::EAGAIN));
    }
    let length = (HEADER + SLOT * (events as usize + 2)).next_multiple_of(PAGE);
    Ok((((length - HEADER) / SLOT) as u32, length))
}

impl EventRing {
    /// A ring of no events: a context that is not in use has it.
    pub const NONE: Self = Self { memory: ptr::null_mut(), length: 0, nr: 0 };

    /// Makes a ring of the [`size`] given, and gives the address of the program's mapping too.
    ///
    /// # Errors
    /// `ENOMEM`, or what else the kernel answers.
    pub fn new((nr, length): (u32, usize), memory: &mut RingMemory) -> Result<(Self, usize), Errno> {
        let ours = memory.take(length)?;
        // SAFETY: a new mapping at an address of the kernel's choice. An old size of 0 makes mremap map the same pages again
        // (mremap(2)).
        let theirs = unsafe { syscall!(libc::SYS_mremap, ours, 0, length, libc::MREMAP_MAYMOVE) }
            .inspect_err(|_| memory.give_back(ours, length))?;
        // SAFETY: advises that mapping, which a child inherits, as it does the kernel's.
        let _ = unsafe { syscall!(libc::SYS_madvise, theirs, length, libc::MADV_DOFORK) };
        let ring = Self { memory: ours as *mut c_void, length, nr };
        let header = ring.header();
        for (field, value) in
            [(&header.nr, nr), (&header.magic, MAGIC), (&header.compat_features, 1), (&header.length, HEADER as u32)]
        {
            // Relaxed: whoever is told of the ring is told later.
            field.store(value, Ordering::Relaxed);
        }
        Ok((ring, theirs))
    }

    /// Slots of the ring, of which one always stays empty.
    pub const fn nr(&self) -> u32 {
        self.nr
    }

    /// Bytes of the mapping.
    pub const fn length(&self) -> usize {
        self.length
    }

    const fn header(&self) -> &Header {
        // SAFETY: our mapping begins with the header and stays as long as the ring.
        unsafe { &*self.memory.cast::<Header>() }
    }

    fn slot(&self, index: u32) -> &Slot {
        debug_assert!(index < self.nr);
        // SAFETY: indices are below `nr`, and the mapping holds as many slots behind the header.
        unsafe { &*self.memory.byte_add(HEADER).cast::<Slot>().add(index as usize) }
    }

    /// The slot after this one.
    pub const fn after(&self, index: u32) -> u32 {
        if index + 1 == self.nr { 0 } else { index + 1 }
    }

    /// Where the next event is to be read, by whoever reads: a program that advances the head itself may write nonsense.
    pub fn head(&self) -> u32 {
        // Acquire pairs with the Release of whoever read the slots before it: they are free.
        let head = self.header().head.load(Ordering::Acquire);
        if head < self.nr { head } else { head % self.nr }
    }

    /// Says that everything before `head` has been read.
    pub fn set_head(&self, head: u32) {
        // Release pairs with the Acquire of `head`: the slots have been read.
        self.header().head.store(head, Ordering::Release);
    }

    /// Says that everything before `tail` has been written.
    pub fn set_tail(&self, tail: u32) {
        // Release pairs with the program's Acquire: it finds whole events.
        self.header().tail.store(tail, Ordering::Release);
    }

    /// Writes an event, which no reader looks at before [`EventRing::set_tail`].
    pub fn write(&self, index: u32, event: &Event) {
        let slot = self.slot(index);
        slot.data.store(event.data, Ordering::Relaxed);
        slot.object.store(event.object, Ordering::Relaxed);
        slot.result.store(event.result, Ordering::Relaxed);
        slot.result2.store(event.result2, Ordering::Relaxed);
    }

    /// Reads an event.
    pub fn read(&self, index: u32) -> Event {
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
    // SAFETY: the callers made the mapping, and nobody uses it any more.
    let _ = unsafe { syscall!(libc::SYS_munmap, address, length) };
}

/// How many CPUs the kernel provides for, present or not; it sizes its own rings by that.
fn possible_cpus() -> u32 {
    static KNOWN: AtomicU32 = AtomicU32::new(0);
    let known = KNOWN.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let counted = count_possible_cpus().unwrap_or_else(|| {
        // SAFETY: asks for a number.
        u32::try_from(unsafe { libc::sysconf(libc::_SC_NPROCESSORS_CONF) }).unwrap_or(1).max(1)
    });
    KNOWN.store(counted, Ordering::Relaxed);
    counted
}

/// `/sys/devices/system/cpu/possible`, a list like `0-3,8`.
fn count_possible_cpus() -> Option<u32> {
    let path = c"/sys/devices/system/cpu/possible";
    let mut text = [0u8; 256];
    // SAFETY: opens, reads into the buffer and closes.
    let length = unsafe {
        let fd = syscall!(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC, 0).ok()?;
        let length = syscall!(libc::SYS_read, fd, text.as_mut_ptr(), text.len());
        crate::host::kernel::close(fd as i32);
        length.ok()?
    };
    let mut count = 0;
    for range in core::str::from_utf8(&text[..length]).ok()?.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
        count += last.checked_sub(first)? + 1;
    }
    (count > 0).then_some(count)
}
