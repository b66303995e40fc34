//! An iocb as the program wrote it, and what `io_submit` refuses about it before anything is done
//! (`io_submit_one` and its callees in Linux's fs/aio.c, in their order).

use core::ffi::c_int;

use super::user_access;
use crate::engine::MAX_RW_BYTES;
use crate::host::file_info;
use crate::host::kernel::{Errno, syscall};
use crate::submission::fd_cache::FdInfo;
use crate::submission::inline_io::rwf;

/// `IOCB_FLAG_RESFD`: the completion is told to an eventfd.
pub const RESFD: u32 = 1;
/// `IOCB_FLAG_IOPRIO`: `aio_reqprio` counts.
pub const IOPRIO: u32 = 2;

/// `aio_lio_opcode`.
pub mod opcode {
    /// `IO_CMD_PREAD`
    pub const PREAD: u16 = 0;
    /// `IO_CMD_PWRITE`
    pub const PWRITE: u16 = 1;
    /// `IO_CMD_FSYNC`
    pub const FSYNC: u16 = 2;
    /// `IO_CMD_FDSYNC`
    pub const FDSYNC: u16 = 3;
    /// `IO_CMD_POLL`
    pub const POLL: u16 = 5;
    /// `IO_CMD_PREADV`
    pub const PREADV: u16 = 7;
    /// `IO_CMD_PWRITEV`
    pub const PWRITEV: u16 = 8;
}

/// Most buffers of a vectored request (`UIO_MAXIOV`).
const MOST_BUFFERS: u32 = 1024;

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

/// Where `aio_key` lies.
const KEY: usize = core::mem::offset_of!(Iocb, key);
const _: () = assert!(size_of::<Iocb>() == 64 && KEY == 8);

impl Iocb {
    /// Reads the iocb that entry `index` of `list` points to, and gives its address too.
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
        // SAFETY: the same.
        let iocb = unsafe { (address as *const Self).read_unaligned() };
        Ok((iocb, address))
    }

    /// Has the processor fetch the iocb that entry `index` of `list`, of which the one before was read, points to.
    #[inline]
    pub fn prefetch(list: usize, index: usize) {
        let entry = list + index * size_of::<usize>();
        if user_access::lie_on_one_page(entry - size_of::<usize>(), 2 * size_of::<usize>()) {
            // SAFETY: readable as the one before it, on the same page.
            let address = unsafe { (entry as *const usize).read_unaligned() };
            crate::host::memory::prefetch(address, size_of::<Self>());
        }
    }

    /// What is looked at before there has to be room.
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
        user_access::writable(address + KEY, size_of::<u32>())?;
        // SAFETY: seen to be writable.
        unsafe { ((address + KEY) as *mut u32).write_unaligned(0) };
        Ok(())
    }

    /// The key of an iocb.
    ///
    /// # Errors
    /// `EFAULT`
    pub fn key_at(address: usize) -> Result<u32, Errno> {
        let key = address.checked_add(KEY).ok_or(Errno(libc::EFAULT))?;
        user_access::readable(key, size_of::<u32>())?;
        // SAFETY: seen to be readable.
        Ok(unsafe { (key as *const u32).read_unaligned() })
    }

    /// Its I/O priority, 0 where it asks for none.
    ///
    /// # Errors
    /// `EINVAL`, `EPERM`, as ioprio_set(2).
    pub fn io_priority(&self) -> Result<u16, Errno> {
        if self.flags & IOPRIO == 0 {
            return Ok(0);
        }
        let (class, level) = (self.priority >> 13, self.priority & 7);
        match class {
            // No class, no level.
            0 if level != 0 => Err(Errno(libc::EINVAL)),
            // Real time is a privilege.
            1 if !may_use_real_time() => Err(Errno(libc::EPERM)),
            0..=3 if self.priority & HINTS == 0 || takes_priority(self.priority) => Ok(self.priority),
            _ => Err(Errno(libc::EINVAL)),
        }
    }

    /// What `IO_CMD_FSYNC` and `IO_CMD_FDSYNC` refuse.
    ///
    /// # Errors
    /// `EINVAL`: fields that mean nothing are not 0, or the file has nothing to sync.
    pub fn check_sync(&self, file: FdInfo) -> Result<(), Errno> {
        let unused = self.buffer == 0 && self.offset == 0 && self.length == 0 && self.rw_flags == 0;
        if unused && !file.streams() { Ok(()) } else { Err(Errno(libc::EINVAL)) }
    }

    /// What `IO_CMD_POLL` refuses.
    ///
    /// # Errors
    /// `EINVAL`: fields that mean nothing are not 0, or there are unknown events.
    pub const fn check_poll(&self) -> Result<(), Errno> {
        let unused = self.buffer <= 0xffff && self.offset == 0 && self.length == 0 && self.rw_flags == 0;
        if unused { Ok(()) } else { Err(Errno(libc::EINVAL)) }
    }

    /// What a read or write refuses of its position.
    ///
    /// # Errors
    /// `EINVAL`: it is negative, or the end would be (`rw_verify_area` of fs/read_write.c).
    pub const fn check_position(&self, bytes: usize) -> Result<(), Errno> {
        if self.offset < 0 || self.offset.checked_add(bytes as i64).is_none() {
            return Err(Errno(libc::EINVAL));
        }
        Ok(())
    }

    /// Copies the buffers of a vectored request to where `room` provides, and gives them with the number of bytes.
    ///
    /// # Errors
    /// As readv(2) and writev(2): `EINVAL`, `EFAULT`; `EAGAIN`: no room.
    pub fn copy_vectors(
        &self,
        room: impl FnOnce(usize) -> Option<*mut libc::iovec>,
    ) -> Result<(*mut libc::iovec, usize, usize), Errno> {
        // The kernel takes the low 32 bits.
        let count = self.length as u32;
        if count > MOST_BUFFERS {
            return Err(Errno(libc::EINVAL));
        }
        let (count, from) = (count as usize, self.buffer as usize);
        user_access::readable(from, count * size_of::<libc::iovec>())?;
        let to = room(count).ok_or(Errno(libc::EAGAIN))?;
        let mut total = 0;
        for index in 0..count {
            // SAFETY: seen to be readable, and there is room.
            let mut vector = unsafe { (from as *const libc::iovec).add(index).read_unaligned() };
            if isize::try_from(vector.iov_len).is_err() {
                return Err(Errno(libc::EINVAL));
            }
            user_access::in_user_space(vector.iov_base as usize, vector.iov_len)?;
            vector.iov_len = vector.iov_len.min(MAX_RW_BYTES - total);
            total += vector.iov_len;
            // SAFETY: as above.
            unsafe { to.add(index).write(vector) };
        }
        Ok((to, count, total))
    }
}

/// Bits of a priority that are hints since Linux 6.5, and were a part of the level before.
const HINTS: u16 = 0x1ff8;

/// Whether the kernel knows such a priority.
fn takes_priority(priority: u16) -> bool {
    const WHO_PROCESS: c_int = 1;
    // SAFETY: sets nothing: there is no such thread. The priority is looked at first.
    let answer = unsafe { syscall!(libc::SYS_ioprio_set, WHO_PROCESS, c_int::MAX, priority) };
    answer != Err(Errno(libc::EINVAL))
}

/// Whether this thread may give requests real-time priority: `CAP_SYS_ADMIN` or `CAP_SYS_NICE`.
fn may_use_real_time() -> bool {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: c_int,
    }
    #[repr(C)]
    struct Data {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    const VERSION_3: u32 = 0x2008_0522;
    const SYS_ADMIN: u32 = 21;
    const SYS_NICE: u32 = 23;
    let header = Header { version: VERSION_3, pid: 0 };
    let mut data = [const { Data { effective: 0, permitted: 0, inheritable: 0 } }; 2];
    // SAFETY: reads the header and fills the data.
    let asked = unsafe { syscall!(libc::SYS_capget, &raw const header, data.as_mut_ptr()) };
    asked.is_ok() && data[0].effective & (1 << SYS_ADMIN | 1 << SYS_NICE) != 0
}

/// Whether the kernel takes these flags for this file (`kiocb_set_rw_flags` of linux/fs.h).
///
/// # Errors
/// `EOPNOTSUPP`, `EINVAL`, `EPERM`.
pub fn check_rw_flags(fd: c_int, file: FdInfo, writes: bool, flags: c_int) -> Result<(), Errno> {
    const SIMPLE: c_int = rwf::HIPRI | rwf::DSYNC | rwf::SYNC | rwf::APPEND;
    const KNOWN: c_int = SIMPLE | rwf::NOWAIT | rwf::NOAPPEND | rwf::ATOMIC | rwf::DONTCACHE | rwf::NOSIGNAL;
    if flags & !SIMPLE == 0 {
        return Ok(());
    }
    if flags & !KNOWN != 0 || (flags & rwf::ATOMIC != 0 && !writes) {
        return Err(Errno(libc::EOPNOTSUPP));
    }
    if flags & rwf::APPEND != 0 && flags & rwf::NOAPPEND != 0 {
        // Kernels that do not know the one (6.9) say so first.
        let number = if file.reads() { libc::SYS_preadv2 } else { libc::SYS_pwritev2 };
        let unknown = refusal(number, fd, BEYOND_ALL_FILES, rwf::NOAPPEND) == Some(Errno(libc::EOPNOTSUPP));
        return Err(Errno(if unknown { libc::EOPNOTSUPP } else { libc::EINVAL }));
    }
    // A stream would wait; there the request itself finds out. None has a page cache, or writes all or nothing.
    if file.streams() {
        let refused = flags & (rwf::ATOMIC | rwf::DONTCACHE) != 0;
        return if refused { Err(Errno(libc::EOPNOTSUPP)) } else { Ok(()) };
    }
    if file.reads() {
        let refused = refusal(libc::SYS_preadv2, fd, BEYOND_ALL_FILES, flags & !rwf::ATOMIC);
        if refused == Some(Errno(libc::EOPNOTSUPP)) || refused == Some(Errno(libc::EPERM)) {
            return refused.map_or(Ok(()), Err);
        }
    }
    let for_writing = flags & !rwf::NOWAIT & !SIMPLE;
    if writes && file.writes() && for_writing != 0 {
        let refused = refusal(libc::SYS_pwritev2, fd, 0, for_writing);
        // A seal forbids the write itself, and is told in the event.
        let is_append_only = || file_info::is_append_only(fd);
        if refused == Some(Errno(libc::EOPNOTSUPP)) || (refused == Some(Errno(libc::EPERM)) && is_append_only()) {
            return refused.map_or(Ok(()), Err);
        }
    }
    Ok(())
}

/// What a write of no bytes with `RWF_NOWAIT` comes to: pwritev2(2) does not ask the file system, the kernel's AIO does.
#[cold]
pub fn empty_nowait_write(fd: c_int) -> i64 {
    match refusal(libc::SYS_pwritev2, fd, 0, rwf::NOWAIT) {
        Some(errno @ Errno(libc::EOPNOTSUPP)) => errno.negated(),
        _ => 0,
    }
}

/// A position where there is nothing to be read, in whole blocks.
const BEYOND_ALL_FILES: i64 = 0x7fff_ffff_ffff_0000;

/// What the kernel says to one byte at an address where there is no memory: it looks at the flags first.
fn refusal(number: core::ffi::c_long, fd: c_int, offset: i64, flags: c_int) -> Option<Errno> {
    let nowhere = libc::iovec { iov_base: core::ptr::without_provenance_mut(16), iov_len: 1 };
    // SAFETY: nothing is read or written: there is no memory in the first page.
    unsafe { syscall!(number, fd, &raw const nowhere, 1, offset, 0, flags) }.err()
}
