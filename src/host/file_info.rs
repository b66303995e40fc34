//! What kind of file a descriptor names: the info that decide where its I/O runs and in what order.

use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU64, Ordering};

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
pub struct FileInfo {
    /// Its kind.
    pub kind: Kind,
    /// Its open flags (`O_APPEND`, `O_DIRECT`, `O_NONBLOCK`, the access mode, …).
    pub flags: c_int,
    /// Names the file: equal for two descriptors of one file. Different files rarely share it, and then only wait for
    /// each other without need.
    pub identity: u64,
    /// The device that holds it (`st_dev`).
    pub device: u64,
    /// Its size (`st_size`).
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

/// Whether `fd` has positions: what is `seekable` does, pipes, sockets and terminals have none, other character devices may.
/// Async-signal-safe.
#[must_use]
pub fn has_position(fd: c_int, seekable: bool) -> bool {
    // SAFETY: asks for the position and leaves it.
    seekable || unsafe { syscall!(libc::SYS_lseek, fd, 0, libc::SEEK_CUR) }.is_ok()
}

/// Asks the kernel what `fd` is. Async-signal-safe.
///
/// # Errors
/// `EBADF`: it is not open.
pub fn info(fd: c_int) -> Result<FileInfo, Errno> {
    info_with_flags(fd, flags(fd)?)
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
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: fstat fills the structure or fails; the C library's layout is the kernel's on the 64-bit machines we serve.
    let status = unsafe {
        syscall!(libc::SYS_fstat, fd, status.as_mut_ptr())?;
        status.assume_init()
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
    Ok(FileInfo { kind, flags, identity, device: status.st_dev, size: status.st_size as u64 })
}

/// Whether `fd` is a regular file that ends at `offset` or before.
#[must_use]
pub fn ends_by(fd: c_int, offset: i64) -> bool {
    info_with_flags(fd, 0).is_ok_and(|info| info.kind == Kind::Regular && info.size <= offset.max(0) as u64)
}

/// Where a file system keeps its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// In memory and nowhere else.
    Memory,
    /// On a device of this machine, behind the page cache.
    Local,
    /// With another machine or another process, which may take its time.
    Remote,
}

/// What was last learnt of file systems: the device's hash, when (in units of 2^30 ns, the low 20 bits), and which backing.
static HOMES: [AtomicU64; 64] = [const { AtomicU64::new(0) }; 64];

/// Where the file system of `fd`, of which these are the info, keeps its files. `now` is the monotonic clock's: an answer
/// is good for about a second, then the kernel is asked again (device numbers can be used again after an unmount).
/// Async-signal-safe.
pub fn backing(fd: c_int, info: &FileInfo, now: u64) -> Backing {
    let key = mix(info.device, 1);
    let place = &HOMES[key as usize % HOMES.len()];
    let stamp = (key & !0xff_ffff) | ((now >> 30 & 0xf_ffff) << 4);
    // Relaxed here and below: the word says all.
    let known = place.load(Ordering::Relaxed);
    if known & !0xf == stamp {
        match known & 0xf {
            1 => return Backing::Memory,
            2 => return Backing::Local,
            3 => return Backing::Remote,
            _ => {}
        }
    }
    let backing = ask_backing(fd);
    place.store(stamp | (backing as u64 + 1), Ordering::Relaxed);
    backing
}

fn ask_backing(fd: c_int) -> Backing {
    let mut status = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: fstatfs fills the structure or fails.
    let kind = unsafe {
        match syscall!(libc::SYS_fstatfs, fd, status.as_mut_ptr()) {
            Ok(_) => status.assume_init().f_type,
            Err(_) => return Backing::Remote,
        }
    };
    match kind as u32 {
        magic if IN_MEMORY.contains(&magic) => Backing::Memory,
        magic if ON_A_DEVICE.contains(&magic) => Backing::Local,
        _ => Backing::Remote,
    }
}

// From statfs(2), linux/magic.h and the file systems' own headers.
const IN_MEMORY: [u32; 3] = [
    0x0102_1994, // tmpfs
    0x8584_58f6, // ramfs
    0x9584_58f6, // hugetlbfs
];
const ON_A_DEVICE: [u32; 15] = [
    0xef53,      // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683e, // Btrfs
    0xf2f5_2010, // F2FS
    0x794c_7630, // overlayfs
    0x2fc1_2fc1, // ZFS
    0xca45_1a4e, // bcachefs
    0x4d44,      // FAT
    0x2011_bab0, // exFAT
    0x7366_746e, // NTFS3
    0x3153_464a, // JFS
    0x5265_4973, // ReiserFS
    0x7371_7368, // SquashFS
    0xe0f5_e1e2, // EROFS
    0x9660,      // ISO 9660
];

/// One word of two, well spread (the finaliser of SplitMix64, <https://prng.di.unimi.it/splitmix64.c>, public domain).
const fn mix(a: u64, b: u64) -> u64 {
    let mut word = a.wrapping_add(b.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Whether a write that makes a file longer, to `end`, could pass `RLIMIT_FSIZE`: the kernel then sends SIGXFSZ to the thread
/// that writes.
#[must_use]
pub fn may_raise_signal(end: u64) -> bool {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: fills the structure.
    let asked = unsafe { syscall!(libc::SYS_prlimit64, 0, libc::RLIMIT_FSIZE, 0, &raw mut limit) };
    asked.is_err() || (limit.rlim_cur != libc::RLIM_INFINITY && end > limit.rlim_cur)
}

/// Whether nothing of the file `fd` can be changed but by appending (`chattr +a`).
#[must_use]
pub fn is_append_only(fd: c_int) -> bool {
    let mut status = MaybeUninit::<libc::statx>::zeroed();
    // SAFETY: fills the structure or fails; zeros are a valid one.
    unsafe {
        let flags = libc::AT_EMPTY_PATH | libc::AT_STATX_DONT_SYNC;
        let asked = syscall!(libc::SYS_statx, fd, c"".as_ptr(), flags, 0, status.as_mut_ptr());
        asked.is_ok() && status.assume_init().stx_attributes & libc::STATX_ATTR_APPEND as u64 != 0
    }
}
