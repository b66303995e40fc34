//! The buffers of a vectored request: a copy of the program's iovec array, checked as readv(2) and writev(2) check it.
//!
//! The program may free its array when the call has returned, and an engine changes the copy as bytes move.

use core::ptr;
use std::alloc::{Layout, alloc, dealloc};

use crate::engine::MAX_RW_BYTES;
use crate::host::kernel::Errno;
use crate::host::user_access;

/// The most buffers of a vectored request (`IOV_MAX`, the kernel's `UIO_MAXIOV`).
pub const MAX_VECTORS: usize = 1024;

/// The fewest buffers that memory is allocated for, and the entry before them.
const MIN_ENTRIES: usize = 4;

/// Memory for the copy, kept by a request for its next use. The entry before the first buffer holds how many entries there
/// are, itself included, as its length. Zero bytes are a memory with no room.
#[repr(transparent)]
pub struct VectorMemory(*mut libc::iovec);

impl VectorMemory {
    /// No room yet.
    #[cfg_attr(feature = "libaio-abi", allow(dead_code, reason = "the drop-in's requests begin as zero bytes"))]
    pub const NONE: Self = Self(ptr::null_mut());

    fn entries(&self) -> usize {
        // SAFETY: allocated by `room`, which has written the entry.
        if self.0.is_null() { 0 } else { unsafe { (*self.0).iov_len } }
    }

    /// Room for `count` buffers. `None`: memory is out.
    fn room(&mut self, count: usize) -> Option<*mut libc::iovec> {
        if count + 1 > self.entries() {
            self.free();
            let entries = (count + 1).next_power_of_two().max(MIN_ENTRIES);
            // SAFETY: the size is not 0.
            let first: *mut libc::iovec = unsafe { alloc(Layout::array::<libc::iovec>(entries).ok()?).cast() };
            if first.is_null() {
                return None;
            }
            // SAFETY: room for so many entries.
            unsafe { first.write(libc::iovec { iov_base: ptr::null_mut(), iov_len: entries }) };
            self.0 = first;
        }
        // SAFETY: there is at least one entry more.
        Some(unsafe { self.0.add(1) })
    }

    /// Gives the memory back.
    pub fn free(&mut self) {
        if let Ok(layout) = Layout::array::<libc::iovec>(self.entries())
            && layout.size() > 0
        {
            // SAFETY: allocated with this layout by `room`.
            unsafe { dealloc(self.0.cast(), layout) };
        }
        self.0 = ptr::null_mut();
    }
}

/// The copy of an array.
#[derive(Clone, Copy)]
pub struct Vectors {
    first: *mut libc::iovec,
    count: usize,
    /// The bytes of all buffers, no more than one call moves.
    pub total: usize,
}

impl Vectors {
    /// Copies the array of `count` entries at address `from` to `memory`.
    ///
    /// # Errors
    /// As readv(2) and writev(2): `EINVAL`: too many entries, or a length that is negative; `EFAULT`: an array that cannot
    /// be read, or a buffer outside a program's memory. `EAGAIN`: memory is out.
    pub fn copy(from: usize, count: usize, memory: &mut VectorMemory) -> Result<Self, Errno> {
        if count > MAX_VECTORS {
            return Err(Errno(libc::EINVAL));
        }
        user_access::readable(from, count * size_of::<libc::iovec>())?;
        let first = memory.room(count).ok_or(Errno(libc::EAGAIN))?;
        // All lengths first, then all addresses: which error comes is decided by that (`__import_iovec` of lib/iov_iter.c).
        for index in 0..count {
            // SAFETY: seen to be readable.
            let vector = unsafe { (from as *const libc::iovec).add(index).read_unaligned() };
            if isize::try_from(vector.iov_len).is_err() {
                return Err(Errno(libc::EINVAL));
            }
            // SAFETY: there is room for `count` entries.
            unsafe { first.add(index).write(vector) };
        }
        let mut total = 0;
        for index in 0..count {
            // SAFETY: written above.
            let vector = unsafe { &mut *first.add(index) };
            // One buffer is cut before it is looked at (since Linux 6.4).
            let looked_at = if count == 1 { vector.iov_len.min(MAX_RW_BYTES) } else { vector.iov_len };
            user_access::in_user_space(vector.iov_base as usize, looked_at)?;
            vector.iov_len = vector.iov_len.min(MAX_RW_BYTES - total);
            total += vector.iov_len;
        }
        Ok(Self { first, count, total })
    }

    /// The buffers. The memory that they were copied to stays as it is meanwhile.
    pub const fn as_slice<'a>(self) -> &'a [libc::iovec] {
        // SAFETY: as many were written there by `copy`; the caller keeps the memory.
        unsafe { core::slice::from_raw_parts(self.first, self.count) }
    }

    /// The address of the first buffer's entry, and their number, as an operation takes them.
    pub fn for_operation(self) -> (usize, usize) {
        (self.first as usize, self.count)
    }
}
