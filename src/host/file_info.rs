//! What kind of file a descriptor names: what decides where its I/O runs and in what order.
//!
//! No file server is asked (D3): a caller of `aio_read` must not wait for one. The kernel tells what it has in memory
//! (`AT_STATX_DONT_SYNC`), and which file system it is comes from the table of mounts ([`mounts`]).

use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};

pub use super::file_systems::Backing;
use super::hash::mix;
use super::kernel::{self, Errno, syscall};
use super::mounts::{self, Mount};
use super::raw_thread::Table;

/// What kind of file it is, as far as I/O order and waiting are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file: has a position, never waits for another program.
    Regular,
    /// A block device: as a regular file.
    Block,
    /// A pipe, FIFO, socket or character device, or an anonymous file of the kernel's (eventfd, …): bytes come in an
    /// order.
    Stream,
    /// A directory or another thing that takes no I/O.
    Other,
}

/// What is known of an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// Its kind.
    pub kind: Kind,
    /// Its type: `S_IFREG`, `S_IFSOCK`, …, or 0.
    pub file_type: u32,
    /// Its open flags (`O_APPEND`, `O_DIRECT`, `O_NONBLOCK`, the access mode, …).
    pub flags: c_int,
    /// Names the file: equal for two descriptors of one file. Different files rarely share it, and then only wait for
    /// each other without need.
    pub identity: u64,
    /// The device that holds it (`st_dev`), or that it is (`st_rdev` of a block device).
    pub device: u64,
    /// The mount that it was opened through.
    pub mount: Mount,
    /// Its size, as far as the kernel has it in memory: that of a file on a server may be another by now.
    pub size: u64,
}

impl FileInfo {
    /// Whether offsets mean anything.
    #[must_use]
    pub const fn is_seekable(self) -> bool {
        matches!(self.kind, Kind::Regular | Kind::Block)
    }

    /// Whether `flag` is among the open flags.
    #[must_use]
    pub const fn has(self, flag: c_int) -> bool {
        self.flags & flag == flag
    }
}

/// Asks the kernel what `fd` is. Async-signal-safe.
///
/// # Errors
/// `EBADF`: it is not open.
pub fn info(fd: c_int) -> Result<FileInfo, Errno> {
    info_with_flags(fd, flags(fd)?)
}

/// The number of the device that `fd` is (`st_rdev`). Async-signal-safe.
///
/// # Errors
/// `EBADF`: it is not open.
pub fn device_number(fd: c_int) -> Result<u64, Errno> {
    status(fd).map(|status| status.special)
}

/// The open flags of `fd`. Async-signal-safe.
///
/// # Errors
/// `EBADF`: it is not open.
pub fn flags(fd: c_int) -> Result<c_int, Errno> {
    // SAFETY: F_GETFL takes no argument.
    unsafe { syscall!(libc::SYS_fcntl, fd, libc::F_GETFL) }.map(|flags| flags as c_int)
}

/// The same as [`info`] where the open flags are known.
///
/// # Errors
/// `EBADF`: it is not open.
pub fn info_with_flags(fd: c_int, flags: c_int) -> Result<FileInfo, Errno> {
    let status = status(fd)?;
    let file_type = status.mode & libc::S_IFMT;
    let kind = match file_type {
        libc::S_IFREG => Kind::Regular,
        libc::S_IFBLK => Kind::Block,
        libc::S_IFIFO | libc::S_IFSOCK | libc::S_IFCHR | 0 => Kind::Stream,
        _ => Kind::Other,
    };
    let identity = match file_type {
        // Every open of /dev/ptmx is a terminal of its own behind one inode, and every eventfd or timerfd shares
        // another: there the number is the better name.
        libc::S_IFCHR | 0 => mix(fd as u64, u64::MAX),
        libc::S_IFBLK => mix(status.special, u64::MAX - 1),
        _ => mix(status.inode, status.device),
    };
    let device = if kind == Kind::Block { status.special } else { status.device };
    Ok(FileInfo { kind, file_type, flags, identity, device, mount: status.mount, size: status.size })
}

/// What statx(2) or fstat(2) tells.
struct Status {
    mode: u32,
    inode: u64,
    device: u64,
    /// The device that it is (`st_rdev`).
    special: u64,
    size: u64,
    mount: Mount,
}

/// Linux 6.8.
const STATX_MNT_ID_UNIQUE: u32 = 0x4000;

fn status(fd: c_int) -> Result<Status, Errno> {
    /// The kernel has no statx(2) (before 4.11), or a filter refuses it.
    static REFUSED: AtomicBool = AtomicBool::new(false);
    // Relaxed: the worst is one more try.
    if !REFUSED.load(Ordering::Relaxed) {
        match status_in_memory(fd) {
            Err(Errno(libc::ENOSYS | libc::EPERM | libc::EINVAL)) => REFUSED.store(true, Ordering::Relaxed),
            answer => return answer,
        }
    }
    status_by_fstat(fd)
}

/// Without asking anybody. Times are not among what is wanted: NFS would write out its pages first.
fn status_in_memory(fd: c_int) -> Result<Status, Errno> {
    let mount_id = if mounts::has_statmount() { STATX_MNT_ID_UNIQUE } else { libc::STATX_MNT_ID };
    let wanted = libc::STATX_TYPE | libc::STATX_INO | libc::STATX_SIZE | mount_id;
    let how = libc::AT_EMPTY_PATH | libc::AT_STATX_DONT_SYNC;
    let mut status = MaybeUninit::<libc::statx>::uninit();
    // SAFETY: reads an empty path; fills the structure or fails.
    let status = unsafe {
        syscall!(libc::SYS_statx, fd, c"".as_ptr(), how, wanted, status.as_mut_ptr())?;
        status.assume_init()
    };
    let known = status.stx_mask & mount_id;
    Ok(Status {
        mode: status.stx_mode.into(),
        inode: status.stx_ino,
        device: libc::makedev(status.stx_dev_major, status.stx_dev_minor),
        special: libc::makedev(status.stx_rdev_major, status.stx_rdev_minor),
        size: status.stx_size,
        mount: Mount { id: if known != 0 { status.stx_mnt_id } else { 0 }, is_unique: known == STATX_MNT_ID_UNIQUE },
    })
}

fn status_by_fstat(fd: c_int) -> Result<Status, Errno> {
    let status = kernel::file_status(fd)?;
    Ok(Status {
        mode: status.st_mode,
        inode: status.st_ino,
        device: status.st_dev,
        special: status.st_rdev,
        size: status.st_size as u64,
        mount: Mount { id: 0, is_unique: false },
    })
}

/// Whether `fd` is a regular file that ends at `offset` or before.
#[must_use]
pub fn ends_by(fd: c_int, offset: i64) -> bool {
    info_with_flags(fd, 0).is_ok_and(|info| info.kind == Kind::Regular && info.size <= offset.max(0) as u64)
}

/// Where the file behind `fd`, of which this is the info, is kept. `now` is the monotonic clock's, and `table` the calling
/// thread's. Async-signal-safe.
#[must_use]
pub fn backing(fd: c_int, info: &FileInfo, now: u64, table: Table) -> Backing {
    match info.kind {
        // Its device's, not that of the file system that names it.
        Kind::Block => Backing::Local,
        _ => mounts::backing(fd, info.mount, info.device, now, table),
    }
}

/// Whether nothing of the file `fd` can be changed but by appending (`chattr +a`).
#[must_use]
pub fn is_append_only(fd: c_int) -> bool {
    has_attribute(fd, 0, libc::STATX_ATTR_APPEND as u64)
}

/// Whether the file `fd` takes writes that are done in whole or not at all (`RWF_ATOMIC`).
#[must_use]
pub fn writes_atomically(fd: c_int) -> bool {
    has_attribute(fd, libc::STATX_WRITE_ATOMIC, libc::STATX_ATTR_WRITE_ATOMIC as u64)
}

/// Whether statx(2) tells an attribute of `fd`, if it is asked for `wanted`.
fn has_attribute(fd: c_int, wanted: u32, attribute: u64) -> bool {
    let mut status = MaybeUninit::<libc::statx>::zeroed();
    // SAFETY: fills the structure or fails; zeros are a valid one.
    unsafe {
        let flags = libc::AT_EMPTY_PATH | libc::AT_STATX_DONT_SYNC;
        let asked = syscall!(libc::SYS_statx, fd, c"".as_ptr(), flags, wanted, status.as_mut_ptr());
        asked.is_ok() && status.assume_init().stx_attributes & attribute != 0
    }
}

/// Whether reads and writes of the file `fd` can be asked to leave nothing in the page cache (`RWF_DONTCACHE`, Linux 6.14, and
/// only some file systems). `reads`: it is open for reading.
#[must_use]
pub fn takes_dontcache(fd: c_int, reads: bool) -> bool {
    let (number, offset) = if reads { (libc::SYS_preadv2, BEYOND_ALL_FILES) } else { (libc::SYS_pwritev2, 0) };
    refusal(number, fd, offset, libc::RWF_DONTCACHE) != Some(Errno(libc::EOPNOTSUPP))
}

/// An address in the first page, which is never mapped.
const UNMAPPED: usize = 16;

/// A position beyond the end of every file, at a block's start.
pub const BEYOND_ALL_FILES: i64 = 0x7fff_ffff_ffff_0000;

/// The kernel's error for a transfer of one byte at an address without memory: it checks the flags (`RWF_*`) first.
#[must_use]
pub fn refusal(number: core::ffi::c_long, fd: c_int, offset: i64, flags: c_int) -> Option<Errno> {
    let nowhere = libc::iovec { iov_base: core::ptr::without_provenance_mut(UNMAPPED), iov_len: 1 };
    // SAFETY: reads and writes nothing: the first page is never mapped.
    unsafe { syscall!(number, fd, &raw const nowhere, 1, offset, 0, flags) }.err()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use std::os::fd::AsRawFd;

    use super::{info, status_by_fstat, status_in_memory};
    use crate::host::kernel::Errno;

    #[test]
    #[cfg_attr(miri, ignore = "it needs the kernel")]
    fn both_calls_tell_the_same() {
        for path in ["/", "/dev/null", "/proc/self/exe", "Cargo.toml"] {
            let file = std::fs::File::open(path).unwrap();
            let (new, old) = (status_in_memory(file.as_raw_fd()).unwrap(), status_by_fstat(file.as_raw_fd()).unwrap());
            assert_eq!(
                (new.mode & libc::S_IFMT, new.inode, new.device, new.special, new.size),
                (old.mode & libc::S_IFMT, old.inode, old.device, old.special, old.size),
                "{path}"
            );
        }
        assert_eq!(info(-1), Err(Errno(libc::EBADF)));
    }
}
