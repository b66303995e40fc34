//! What is known of the program's descriptors: asked of the kernel at the first use of each, and again when a number was
//! closed or its flags changed.
//!
//! Nothing depends on it but the way a request takes and which errors are told at once: where it is out of date (a number
//! closed out of our sight), the kernel's answer is in the event.

use core::ffi::c_int;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::host::descriptors;
use crate::host::file_info::{self, Backing, FileInfo, Kind};
use crate::host::kernel::{self, Errno, syscall};
use crate::host::path::Path;

/// FileInfo about a descriptor, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FdInfo(u16);

const READS: u16 = 1;
const WRITES: u16 = 1 << 1;
const SEEKS: u16 = 1 << 2;
const STREAMS: u16 = 1 << 3;
const DIRECT: u16 = 1 << 4;
const APPENDS: u16 = 1 << 5;
const SYNCS: u16 = 1 << 6;
const MEMORY: u16 = 1 << 7;
const LOCAL: u16 = 1 << 8;
const WAITS: u16 = 1 << 9;
const IS_EVENTFD: u16 = 1 << 10;
const NONBLOCKING: u16 = 1 << 11;
const KNOWN: u16 = 1 << 15;

/// An entry: info in the low 16 bits, the descriptor in the next 24, its generation in the highest 24.
static TABLE: [AtomicU64; 4096] = [const { AtomicU64::new(0) }; 4096];

fn tag(fd: c_int) -> u64 {
    (u64::from(descriptors::flags_generation(fd)) << 40) | (u64::from(fd as u32 & 0xff_ffff) << 16)
}

impl FdInfo {
    /// FdInfo for reading.
    pub const fn reads(self) -> bool {
        self.0 & READS != 0
    }

    /// FdInfo for writing.
    pub const fn writes(self) -> bool {
        self.0 & WRITES != 0
    }

    /// A regular file or a block device.
    pub const fn seeks(self) -> bool {
        self.0 & SEEKS != 0
    }

    /// A pipe, socket, terminal or the like.
    pub const fn streams(self) -> bool {
        self.0 & STREAMS != 0
    }

    /// `O_DIRECT`.
    pub const fn is_direct(self) -> bool {
        self.0 & DIRECT != 0
    }

    /// `O_APPEND`.
    pub const fn appends(self) -> bool {
        self.0 & APPENDS != 0
    }

    /// `O_SYNC` or `O_DSYNC`.
    pub const fn syncs(self) -> bool {
        self.0 & SYNCS != 0
    }

    /// `O_NONBLOCK`.
    pub const fn is_nonblocking(self) -> bool {
        self.0 & NONBLOCKING != 0
    }

    /// On a file system that keeps its files in memory: nothing waits for a device.
    pub const fn in_memory(self) -> bool {
        self.0 & MEMORY != 0
    }

    /// On a file system of this machine, whose buffered writes end in the page cache.
    pub const fn is_local(self) -> bool {
        self.0 & (LOCAL | MEMORY) != 0
    }

    /// The file takes no `RWF_NOWAIT`, as far as we have seen.
    pub const fn waits(self) -> bool {
        self.0 & WAITS != 0
    }

    /// An eventfd.
    pub const fn is_eventfd(self) -> bool {
        self.0 & IS_EVENTFD != 0
    }
}

/// What is known of `fd`.
///
/// # Errors
/// `EBADF`: it is not open, or by name only (`O_PATH`).
#[inline]
pub fn lookup(fd: c_int) -> Result<FdInfo, Errno> {
    let tag = tag(fd);
    let known = TABLE[fd as usize % TABLE.len()].load(Ordering::Relaxed);
    if known & !0xffff == tag && known as u16 & KNOWN != 0 { Ok(FdInfo(known as u16)) } else { ask(fd, tag) }
}

/// The file takes no `RWF_NOWAIT`.
pub fn learn_waits(fd: c_int, opened: FdInfo) {
    let (tag, entry) = (tag(fd), &TABLE[fd as usize % TABLE.len()]);
    let known = tag | u64::from(opened.0);
    // Fails if something else has been learnt meanwhile: then this is learnt the next time.
    let _ = entry.compare_exchange(known, known | u64::from(WAITS), Ordering::Relaxed, Ordering::Relaxed);
}

/// Forgets what is known of `fd`, because the kernel said something that does not fit.
pub fn forget(fd: c_int) {
    TABLE[fd as usize % TABLE.len()].store(0, Ordering::Relaxed);
}

#[cold]
fn ask(fd: c_int, tag: u64) -> Result<FdInfo, Errno> {
    let info = file_info::info(fd)?;
    if info.has(libc::O_PATH) {
        return Err(Errno(libc::EBADF));
    }
    let opened = FdInfo(bits(fd, info));
    if fd as u32 <= 0xff_ffff {
        TABLE[fd as usize % TABLE.len()].store(tag | u64::from(opened.0), Ordering::Relaxed);
    }
    Ok(opened)
}

fn bits(fd: c_int, info: FileInfo) -> u16 {
    let access = info.flags & libc::O_ACCMODE;
    let mut bits = KNOWN;
    for (is_so, bit) in [
        (access != libc::O_WRONLY, READS),
        (access != libc::O_RDONLY, WRITES),
        (info.is_seekable(), SEEKS),
        (info.kind == Kind::Stream, STREAMS),
        (info.has(libc::O_DIRECT), DIRECT),
        (info.has(libc::O_APPEND), APPENDS),
        // O_SYNC includes O_DSYNC.
        (info.has(libc::O_DSYNC), SYNCS),
        (info.has(libc::O_NONBLOCK), NONBLOCKING),
    ] {
        if is_so {
            bits |= bit;
        }
    }
    match info.kind {
        Kind::Regular => match file_info::backing(fd, &info, kernel::now()) {
            Backing::Memory => bits | MEMORY,
            Backing::Local => bits | LOCAL,
            Backing::Remote => bits,
        },
        Kind::Block => bits | LOCAL,
        Kind::Stream if is_eventfd(fd) => bits | IS_EVENTFD,
        _ => bits,
    }
}

/// Whether `fd`, which is open, is an eventfd: `/proc` names it. Without `/proc` anything nameless is taken for one.
fn is_eventfd(fd: c_int) -> bool {
    let Some(path) = Path::of(format_args!("/proc/thread-self/fd/{fd}")) else { return false };
    let mut name = [0u8; 32];
    // SAFETY: reads a C string and writes into the buffer.
    match unsafe { syscall!(libc::SYS_readlinkat, libc::AT_FDCWD, path.as_ptr(), name.as_mut_ptr(), name.len()) } {
        Ok(length) => name[..length].starts_with(b"anon_inode:[eventfd"),
        Err(_) => file_info::info(fd).is_ok_and(|info| info.kind == Kind::Stream),
    }
}
