//! An iocb as the program wrote it, and what `io_submit` refuses about it before the request begins
//! (`io_submit_one` and its callees in Linux's fs/aio.c, in their order).

use core::ffi::c_int;
use core::mem::offset_of;

use super::io_priority;
use crate::engine::Kind;
use crate::host::kernel::Errno;
use crate::host::memory;
use crate::host::user_access;
use crate::submission::fd_cache::FdInfo;
use crate::submission::vectors::{VectorMemory, Vectors};

/// `IOCB_FLAG_RESFD`: `aio_resfd` is an eventfd that counts the completion.
pub const RESFD: u32 = 1;
/// `IOCB_FLAG_IOPRIO`: `aio_reqprio` is an I/O priority.
pub const IOPRIO: u32 = 2;

/// `struct iocb` of linux/aio_abi.h, on a little-endian machine.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Iocb {
    /// `aio_data`
    pub data: u64,
    /// `aio_key`: set to 0 when the iocb is taken.
    pub key: u32,
    /// `aio_rw_flags`: `RWF_*`
    pub rw_flags: c_int,
    /// `aio_lio_opcode`
    pub opcode: u16,
    /// `aio_reqprio`
    pub priority: u16,
    /// `aio_fildes`
    pub fd: c_int,
    /// `aio_buf`
    pub buffer: u64,
    /// `aio_nbytes`
    pub length: u64,
    /// `aio_offset`
    pub offset: i64,
    /// `aio_reserved2`: 0
    pub reserved2: u64,
    /// `aio_flags`
    pub flags: u32,
    /// `aio_resfd`
    pub resfd: c_int,
}

const KEY_OFFSET: usize = offset_of!(Iocb, key);
const _: () = assert!(size_of::<Iocb>() == 64 && KEY_OFFSET == 8);

impl Iocb {
    /// Reads the iocb that entry `index` of `list` points to, and gives its address, too.
    ///
    /// # Errors
    /// `EFAULT`
    #[inline]
    pub fn read(list: usize, index: usize) -> Result<(Self, usize), Errno> {
        let entry = list.checked_add(index * size_of::<usize>()).ok_or(Errno(libc::EFAULT))?;
        user_access::readable(entry, size_of::<usize>())?;
        // SAFETY: seen to be readable.
        let address = unsafe { (entry as *const usize).read_unaligned() };
        user_access::readable(address, size_of::<Self>())?;
        // SAFETY: seen to be readable.
        let iocb = unsafe { (address as *const Self).read_unaligned() };
        Ok((iocb, address))
    }

    /// Has the processor fetch the iocb that entry `index` of `list` points to. The entry before it was read.
    #[inline]
    pub fn prefetch(list: usize, index: usize) {
        let entry = list + index * size_of::<usize>();
        if user_access::lie_on_one_page(entry - size_of::<usize>(), 2 * size_of::<usize>()) {
            // SAFETY: readable as the one before it, on the same page.
            let address = unsafe { (entry as *const usize).read_unaligned() };
            memory::prefetch(address, size_of::<Self>());
        }
    }

    /// What it asks for, by its opcode (`IOCB_CMD_PREAD`, …); none where the kernel refuses it.
    pub const fn kind(&self) -> Option<Kind> {
        Some(match self.opcode {
            0 => Kind::Read,
            1 => Kind::Write,
            2 => Kind::Sync,
            3 => Kind::DataSync,
            5 => Kind::Poll,
            7 => Kind::ReadVector,
            8 => Kind::WriteVector,
            _ => return None,
        })
    }

    /// What the kernel checks before it looks for room.
    ///
    /// # Errors
    /// `EINVAL`: a reserved field that is not 0, or a length that is negative.
    pub const fn check(&self) -> Result<(), Errno> {
        if self.reserved2 != 0 || (self.length as i64) < 0 { Err(Errno(libc::EINVAL)) } else { Ok(()) }
    }

    /// Marks the iocb as taken.
    ///
    /// # Errors
    /// `EFAULT`: it cannot be written.
    #[inline]
    pub fn mark_taken(address: usize) -> Result<(), Errno> {
        user_access::writable(address + KEY_OFFSET, size_of::<u32>())?;
        // SAFETY: seen to be writable.
        unsafe { ((address + KEY_OFFSET) as *mut u32).write_unaligned(0) };
        Ok(())
    }

    /// The key of an iocb.
    ///
    /// # Errors
    /// `EFAULT`
    pub fn key_at(address: usize) -> Result<u32, Errno> {
        let key = address.checked_add(KEY_OFFSET).ok_or(Errno(libc::EFAULT))?;
        user_access::readable(key, size_of::<u32>())?;
        // SAFETY: seen to be readable.
        Ok(unsafe { (key as *const u32).read_unaligned() })
    }

    /// Its I/O priority; 0: it asks for none.
    ///
    /// # Errors
    /// `EINVAL`, `EPERM`, as ioprio_set(2).
    pub fn io_priority(&self) -> Result<u16, Errno> {
        if self.flags & IOPRIO == 0 {
            return Ok(0);
        }
        io_priority::check(self.priority)
    }

    /// Checks an `IO_CMD_FSYNC` or `IO_CMD_FDSYNC`.
    ///
    /// # Errors
    /// `EINVAL`: unused fields are not 0, or the file cannot be synchronised.
    pub fn check_sync(&self, file: FdInfo) -> Result<(), Errno> {
        let unused = self.buffer == 0 && self.offset == 0 && self.length == 0 && self.rw_flags == 0;
        if unused && !file.streams() { Ok(()) } else { Err(Errno(libc::EINVAL)) }
    }

    /// Checks an `IO_CMD_POLL`.
    ///
    /// # Errors
    /// `EINVAL`: unused fields are not 0, or there are unknown events.
    pub const fn check_poll(&self) -> Result<(), Errno> {
        let unused = self.buffer <= 0xffff && self.offset == 0 && self.length == 0 && self.rw_flags == 0;
        if unused { Ok(()) } else { Err(Errno(libc::EINVAL)) }
    }

    /// Checks the position of a read or write.
    ///
    /// # Errors
    /// `EINVAL`: it is negative, or the end would be (`rw_verify_area` of fs/read_write.c).
    pub const fn check_position(&self, bytes: usize) -> Result<(), Errno> {
        if self.offset < 0 || self.offset.checked_add(bytes as i64).is_none() {
            return Err(Errno(libc::EINVAL));
        }
        Ok(())
    }

    /// Copies the iovec array of a vectored request to `memory`.
    ///
    /// # Errors
    /// As [`Vectors::copy`].
    pub fn copy_vectors(&self, memory: &mut VectorMemory) -> Result<Vectors, Errno> {
        // The kernel takes the low 32 bits of the count.
        Vectors::copy(self.buffer as usize, self.length as u32 as usize, memory)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::{Errno, Iocb};

    const BYTES: usize = size_of::<Iocb>();

    #[test]
    fn an_iocb_is_read_from_wherever_it_lies() {
        for shift in 0..=8 {
            // Nothing of it is aligned, and nothing is behind it.
            let mut memory: Vec<u8> = (0..shift + BYTES).map(|at| at as u8).collect();
            let address = memory.as_mut_ptr().expose_provenance() + shift;
            let list = [0, 0, address, usize::MAX];
            let list = list.as_ptr().expose_provenance();
            let (iocb, at) = Iocb::read(list, 2).unwrap();
            assert_eq!(at, address);
            let first = shift as u8;
            assert_eq!(iocb.data, u64::from_ne_bytes(core::array::from_fn(|byte| first + byte as u8)));
            assert_eq!(iocb.resfd, i32::from_ne_bytes(core::array::from_fn(|byte| first + 60 + byte as u8)));
            assert_eq!(Iocb::key_at(at), Ok(iocb.key));
            Iocb::mark_taken(at).unwrap();
            assert_eq!(Iocb::key_at(at), Ok(0));
            assert_eq!(Iocb::read(list, 2).unwrap().0.data, iocb.data);
        }
    }

    #[test]
    fn an_address_that_cannot_be_is_refused() {
        let list = [0, usize::MAX, usize::MAX - BYTES];
        let list = list.as_ptr().expose_provenance();
        for index in 0..3 {
            assert_eq!(Iocb::read(list, index).map(|(_, at)| at), Err(Errno(libc::EFAULT)));
        }
        assert_eq!(Iocb::read(usize::MAX, 1).map(|(_, at)| at), Err(Errno(libc::EFAULT)));
        assert_eq!(Iocb::key_at(usize::MAX), Err(Errno(libc::EFAULT)));
        assert_eq!(Iocb::mark_taken(0), Err(Errno(libc::EFAULT)));
    }
}
