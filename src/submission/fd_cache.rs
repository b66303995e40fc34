//! What is known of the program's descriptors: asked of the kernel at the first use of each, and again when a number was
//! closed or its flags changed.
//!
//! Nothing depends on it but the route of a request and its place in an order. It may be out of date: the C library closes
//! numbers out of our sight (`pclose`, `closedir`, `freopen`). So no request is refused by it before the kernel was asked
//! again ([`look_again`]).

use core::ffi::c_int;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering, fence};

use super::device_profile;
use crate::host::descriptors;
use crate::host::file_info::{self, Backing, FileInfo, Kind};
use crate::host::kernel::{self, Errno, syscall};
use crate::host::path::Path;
use crate::host::raw_thread::Table;
use crate::host::settings;
use crate::host::thread_identity;

/// What is known of one descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FdInfo {
    flags: u16,
    /// Names the file: see [`FileInfo::identity`].
    pub identity: u64,
    /// Which device it is on: see [`device_profile::number`].
    pub device: u8,
}

const READS: u16 = 1;
const WRITES: u16 = 1 << 1;
const SEEKS: u16 = 1 << 2;
const STREAMS: u16 = 1 << 3;
const DIRECT: u16 = 1 << 4;
const APPENDS: u16 = 1 << 5;
const SYNCS: u16 = 1 << 6;
const MEMORY: u16 = 1 << 7;
const LOCAL: u16 = 1 << 8;
const NO_NOWAIT: u16 = 1 << 9;
const IS_EVENTFD: u16 = 1 << 10;
const NONBLOCKING: u16 = 1 << 11;
const IS_SOCKET: u16 = 1 << 12;
const IS_CHARACTER_DEVICE: u16 = 1 << 13;
const IS_PIPE: u16 = 1 << 14;
/// Of files with positions, which are never eventfds or character devices: the same bits.
const DONTCACHE: u16 = IS_EVENTFD;
const IS_BLOCK_DEVICE: u16 = IS_CHARACTER_DEVICE;
const KNOWN: u16 = 1 << 15;

const ENTRIES: usize = 4096;

/// Largest descriptor that the tag has room for.
const MAX_TAGGED_FD: u32 = 0xff_ffff;

/// One descriptor, in words that are read as one: the first is emptied before the others are written.
struct Entry {
    /// Flags in the low 16 bits, the descriptor in the next 24, its generation in the highest 24.
    tagged: AtomicU64,
    identity: AtomicU64,
    device: AtomicU8,
}

static CACHE: [Entry; ENTRIES] =
    [const { Entry { tagged: AtomicU64::new(0), identity: AtomicU64::new(0), device: AtomicU8::new(0) } }; ENTRIES];

fn tag(fd: c_int) -> u64 {
    (u64::from(descriptors::flags_generation(fd)) << 40) | (u64::from(fd as u32 & MAX_TAGGED_FD) << 16)
}

fn entry(fd: c_int) -> &'static Entry {
    &CACHE[fd as usize % ENTRIES]
}

impl FdInfo {
    const fn is(self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// Opened for reading.
    pub const fn reads(self) -> bool {
        self.is(READS)
    }

    /// Opened for writing.
    pub const fn writes(self) -> bool {
        self.is(WRITES)
    }

    /// A regular file or a block device: offsets mean something.
    pub const fn seeks(self) -> bool {
        self.is(SEEKS)
    }

    /// A pipe, socket, terminal or the like.
    pub const fn streams(self) -> bool {
        self.is(STREAMS)
    }

    /// `O_DIRECT`.
    pub const fn is_direct(self) -> bool {
        self.is(DIRECT)
    }

    /// `O_APPEND`.
    pub const fn appends(self) -> bool {
        self.is(APPENDS)
    }

    /// `O_SYNC` or `O_DSYNC`.
    pub const fn syncs(self) -> bool {
        self.is(SYNCS)
    }

    /// `O_NONBLOCK`.
    pub const fn is_nonblocking(self) -> bool {
        self.is(NONBLOCKING)
    }

    /// On a file system that keeps its files in memory: nothing waits for a device.
    pub const fn in_memory(self) -> bool {
        self.is(MEMORY)
    }

    /// On a device of this machine and a file system for which io_uring is known to answer as `pread` and `pwrite` do.
    pub const fn is_local(self) -> bool {
        self.is(LOCAL)
    }

    /// On a file system of which neither is known: one that another process or machine serves, above all.
    pub const fn is_remote(self) -> bool {
        self.seeks() && !self.is_local() && !self.in_memory()
    }

    /// The file takes no `RWF_NOWAIT`, as far as we have seen.
    pub const fn refuses_nowait(self) -> bool {
        self.is(NO_NOWAIT)
    }

    /// Whether a read through the page cache can be asked not to wait.
    pub const fn reads_without_waiting(self) -> bool {
        !self.refuses_nowait() && !self.is_remote()
    }

    /// A socket.
    pub const fn is_socket(self) -> bool {
        self.is(IS_SOCKET)
    }

    /// A pipe or FIFO.
    pub const fn is_pipe(self) -> bool {
        self.is(IS_PIPE)
    }

    /// A character device.
    pub const fn is_character_device(self) -> bool {
        self.is(IS_CHARACTER_DEVICE) && !self.seeks()
    }

    /// A regular file whose reads and writes go through the page cache.
    pub const fn is_cached(self) -> bool {
        self.seeks() && !self.is(IS_BLOCK_DEVICE) && !self.is_direct()
    }

    /// An eventfd.
    pub const fn is_eventfd(self) -> bool {
        self.is(IS_EVENTFD) && !self.seeks()
    }

    /// The flags (`RWF_*`) that its reads and writes have by the settings: `URINGAIO_DONTCACHE=1`, where the file takes it.
    pub const fn flags_by_setting(self) -> c_int {
        if self.is(DONTCACHE) && self.seeks() { libc::RWF_DONTCACHE } else { 0 }
    }
}

/// What is known of `fd`. Async-signal-safe.
///
/// # Errors
/// `EBADF`: it is not open, or by name only (`O_PATH`).
#[inline]
pub fn lookup(fd: c_int) -> Result<FdInfo, Errno> {
    let (tag, entry) = (tag(fd), entry(fd));
    // The entries are about the process's table.
    if fd as u32 > MAX_TAGGED_FD || thread_identity::is_separate() {
        return ask(fd);
    }
    // Acquire pairs with the Release of `store`: the identity is of this descriptor, or the word has changed below.
    let tagged = entry.tagged.load(Ordering::Acquire);
    if tagged & !0xffff == tag && tagged as u16 & KNOWN != 0 {
        let identity = entry.identity.load(Ordering::Relaxed);
        let device = entry.device.load(Ordering::Relaxed);
        // Pairs with the fence of `store`: if the identity is another's, the word is empty or another's too.
        fence(Ordering::Acquire);
        if entry.tagged.load(Ordering::Relaxed) == tagged {
            return Ok(FdInfo { flags: tagged as u16, identity, device });
        }
    }
    learn(fd, tag)
}

/// Asks the kernel again, where something does not fit what is `known` of `fd`. None: it is what it was.
///
/// # Errors
/// As for [`lookup`].
#[cold]
pub fn look_again(fd: c_int, known: FdInfo) -> Result<Option<FdInfo>, Errno> {
    entry(fd).tagged.store(0, Ordering::Relaxed);
    let now = lookup(fd)?;
    let is_same = FdInfo { flags: now.flags | known.flags & NO_NOWAIT, ..now } == known;
    Ok((!is_same).then_some(now))
}

/// The file takes no `RWF_NOWAIT`. What is known of it then.
pub fn learn_no_nowait(fd: c_int, known: FdInfo) -> FdInfo {
    let word = tag(fd) | u64::from(known.flags);
    // Relaxed: the identity stays. Fails if something else has been learnt meanwhile: then this is learnt the next time.
    let _ = entry(fd).tagged.compare_exchange(word, word | u64::from(NO_NOWAIT), Ordering::Relaxed, Ordering::Relaxed);
    FdInfo { flags: known.flags | NO_NOWAIT, ..known }
}

#[cold]
fn learn(fd: c_int, tag: u64) -> Result<FdInfo, Errno> {
    let known = ask(fd)?;
    store(entry(fd), tag, known);
    Ok(known)
}

#[cold]
fn ask(fd: c_int) -> Result<FdInfo, Errno> {
    let info = file_info::info(fd)?;
    if info.has(libc::O_PATH) {
        return Err(Errno(libc::EBADF));
    }
    let device = device_profile::number(info.device);
    let flags = flags_of(fd, info);
    if flags & LOCAL != 0 {
        device_profile::met(device, info.device);
    }
    Ok(FdInfo { flags, identity: info.identity, device })
}

/// Two threads may store at once: the second to empty the word decides, or a lookup asks again.
fn store(entry: &Entry, tag: u64, known: FdInfo) {
    entry.tagged.store(0, Ordering::Relaxed);
    // Pairs with the fence of `lookup`.
    fence(Ordering::Release);
    entry.identity.store(known.identity, Ordering::Relaxed);
    entry.device.store(known.device, Ordering::Relaxed);
    // Release pairs with the Acquire of `lookup`.
    let _ = entry.tagged.compare_exchange(0, tag | u64::from(known.flags), Ordering::Release, Ordering::Relaxed);
}

fn flags_of(fd: c_int, info: FileInfo) -> u16 {
    let access = info.flags & libc::O_ACCMODE;
    let mut flags = KNOWN;
    for (is_so, flag) in [
        (access != libc::O_WRONLY, READS),
        (access != libc::O_RDONLY, WRITES),
        (info.is_seekable(), SEEKS),
        (info.kind == Kind::Stream, STREAMS),
        (info.has(libc::O_DIRECT), DIRECT),
        (info.has(libc::O_APPEND), APPENDS),
        // O_SYNC includes O_DSYNC.
        (info.has(libc::O_DSYNC), SYNCS),
        (info.has(libc::O_NONBLOCK), NONBLOCKING),
        (info.file_type == libc::S_IFSOCK, IS_SOCKET),
        (info.file_type == libc::S_IFIFO, IS_PIPE),
        (info.file_type == libc::S_IFCHR, IS_CHARACTER_DEVICE),
    ] {
        if is_so {
            flags |= flag;
        }
    }
    match info.kind {
        Kind::Regular => match file_info::backing(fd, &info, kernel::now(), Table::Programs) {
            Backing::Memory => flags | MEMORY,
            Backing::Local if skips_cache(fd, info) => flags | LOCAL | DONTCACHE,
            Backing::Local => flags | LOCAL,
            Backing::Remote => flags,
        },
        Kind::Block => flags | LOCAL | IS_BLOCK_DEVICE,
        Kind::Stream if is_eventfd(fd) => flags | IS_EVENTFD,
        _ => flags,
    }
}

/// Whether the page cache is to be left as it is by what is read from `fd` and written to it, and can be.
fn skips_cache(fd: c_int, info: FileInfo) -> bool {
    settings::get().dontcache
        && !info.has(libc::O_DIRECT)
        && file_info::takes_dontcache(fd, info.flags & libc::O_ACCMODE != libc::O_WRONLY)
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
