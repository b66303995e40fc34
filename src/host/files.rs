//! What kind of file a descriptor names: the facts that decide where its I/O runs and in what order.

use core::ffi::c_int;
use core::mem::MaybeUninit;

use super::kernel::{Errno, syscall};

/// What kind of file it is, as far as I/O order and waiting are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file: has a position, never waits for another program.
    Regular,
    /// A block device: as a regular file.
    Block,
    /// A pipe, FIFO, socket or character device, or an anonymous file of the kernel's (eventfd, …): bytes come in an order.
    Stream,
    /// A directory or another thing that takes no I/O.
    Other,
}

/// What is known of an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its kind.
    pub kind: Kind,
    /// Its open flags (`O_APPEND`, `O_DIRECT`, `O_NONBLOCK`, the access mode, …).
    pub flags: c_int,
    /// Names the file: equal for two descriptors of one file. Different files rarely share it, and then only wait for
    /// each other without need.
    pub identity: u64,
}

impl Facts {
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
pub fn facts(fd: c_int) -> Result<Facts, Errno> {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: fstat fills the structure or fails; the C library's layout is the kernel's on the 64-bit machines we serve.
    // F_GETFL takes no argument.
    let (status, flags) = unsafe {
        syscall!(libc::SYS_fstat, fd, status.as_mut_ptr())?;
        (status.assume_init(), syscall!(libc::SYS_fcntl, fd, libc::F_GETFL)?)
    };
    let kind = match status.st_mode & libc::S_IFMT {
        libc::S_IFREG => Kind::Regular,
        libc::S_IFBLK => Kind::Block,
        libc::S_IFIFO | libc::S_IFSOCK | libc::S_IFCHR | 0 => Kind::Stream,
        _ => Kind::Other,
    };
    let identity = match status.st_mode & libc::S_IFMT {
        // Every open of /dev/ptmx is a terminal of its own behind one inode, and every eventfd or timerfd shares another:
        // there the number is the better name.
        libc::S_IFCHR | 0 => mix(fd as u64, u64::MAX),
        libc::S_IFBLK => mix(status.st_rdev, u64::MAX - 1),
        _ => mix(status.st_ino, status.st_dev),
    };
    Ok(Facts { kind, flags: flags as c_int, identity })
}

/// One word of two, well spread (the finaliser of SplitMix64, <https://prng.di.unimi.it/splitmix64.c>, public domain).
const fn mix(a: u64, b: u64) -> u64 {
    let mut word = a.wrapping_add(b.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
