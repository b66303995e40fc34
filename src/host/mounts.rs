//! Which file system a mount is, without asking the file system: a server that does not answer would hold up the
//! caller.
//!
//! `statmount(2)` (Linux 6.8) tells it by the mount's number. Before that, and where a filter forbids it, sysfs tells
//! some ([`mount_signs`]), and the others' number, or the device's, is looked for in `/proc/self/mountinfo`. That takes a
//! descriptor, which the program must not see: see [`raw_thread::run_unseen`]. Neither `statmount` nor the table knows a
//! mount outside the process's root (an ordinary user's in a `chroot`, where the root is no mount of its own), and there may be
//! no `/proc` and no `/sys`. There a thread asks the file system itself, and the caller waits [`LOOKUP_LIMIT_MS`] for the
//! answer at the most.

use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use once_cell::race::OnceBool;

use super::file_systems::{self, Backing};
use super::kernel::{Errno, syscall};
use super::mount_signs;
use super::proc_file;
use super::raw_thread::{self, Table};
use super::seccomp::{self, Answer, Call};

/// How long the table of mounts is waited for: it is read in microseconds, unless something is being mounted.
const LOOKUP_LIMIT_MS: u64 = 200;

/// For how long an answer is taken again. The number of a mount that is gone may be given to another, before 6.8.
const FRESH_S: u64 = 60;
/// The same where numbers are never given again.
const FOREVER_S: u64 = 1 << 18;

/// The number of a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mount {
    /// 0 where the kernel does not tell it (before 5.8).
    pub id: u64,
    /// Whether it is never given again ([`has_statmount`]).
    pub is_unique: bool,
}

/// Whether `statmount` can be called here, and so whether statx(2) is asked for unique numbers.
#[must_use]
pub fn has_statmount() -> bool {
    static KNOWN: OnceBool = OnceBool::new();
    #[cfg(test)]
    if super::simulation::now().is_some() {
        return true;
    }
    // No mount has this number. A filter on system calls answers in its own way.
    KNOWN.get_or_init(|| matches!(statmount(0), Err(Errno(libc::ENOENT | libc::EINVAL))))
}

/// `struct statmount` as far as it is asked for, with room for the type's name.
#[repr(C)]
struct StatMount {
    size: u32,
    options: u32,
    mask: u64,
    device: [u32; 2],
    magic: u64,
    flags: u32,
    /// Where the type's name begins, in `strings`.
    fs_type: u32,
    rest: [u64; 59],
    strings: [u8; 128],
}

const _: () = assert!(core::mem::offset_of!(StatMount, strings) == 512);

const SYS_STATMOUNT: libc::c_long = 457;

/// Whether `statmount` may be called: a filter that was written before the call came may end the process for it, as a
/// service manager's does. Each filter that the program sets is asked about once, in a child process.
fn is_statmount_allowed() -> bool {
    /// Twice the number of filters that had been set when it was asked, plus 1 where it is allowed.
    static ANSWER: AtomicU32 = AtomicU32::new(u32::MAX);

    if !seccomp::is_active() {
        return true;
    }
    let filters = seccomp::times_set() << 1;
    // Relaxed: the word says all, and threads that ask at once learn the same.
    let answer = ANSWER.load(Ordering::Relaxed);
    if answer & !1 == filters {
        return answer & 1 != 0;
    }
    // SAFETY: without arguments the call reads nothing, and fails.
    let tried = unsafe { seccomp::try_in_child(&[Call { number: SYS_STATMOUNT, arguments: [0, 0] }]) };
    let is_allowed = matches!(tried, Ok(Answer::All(_)));
    ANSWER.store(filters | u32::from(is_allowed), Ordering::Relaxed);
    is_allowed
}

/// Where the mount with this unique number keeps its files.
fn statmount(id: u64) -> Result<Backing, Errno> {
    if !is_statmount_allowed() {
        return Err(Errno(libc::ENOSYS));
    }
    const FS_TYPE: u64 = 0x20;
    #[repr(C)]
    struct Request {
        size: u32,
        spare: u32,
        id: u64,
        wanted: u64,
    }
    let request = Request { size: size_of::<Request>() as u32, spare: 0, id, wanted: FS_TYPE };
    let mut found = MaybeUninit::<StatMount>::zeroed();
    // SAFETY: reads the request; writes at most the size given.
    unsafe { syscall!(SYS_STATMOUNT, &raw const request, found.as_mut_ptr(), size_of::<StatMount>(), 0) }?;
    // SAFETY: zeroed, and filled by the kernel; a structure of numbers.
    let found = unsafe { found.assume_init_ref() };
    if found.mask & FS_TYPE == 0 {
        return Err(Errno(libc::ENOSYS));
    }
    let name = found.strings.get(found.fs_type as usize..).unwrap_or_default();
    Ok(file_systems::by_name(name.split(|&byte| byte == 0).next().unwrap_or_default()))
}

/// What was last learnt of mounts: the high bits of the key, until when it is good (in units of 2^30 ns, 20 bits), and
/// the backing's [`code`].
static KNOWN: [AtomicU64; 64] = [const { AtomicU64::new(0) }; 64];

const TIME_BITS: u32 = 20;
const TIME_MASK: u64 = (1 << TIME_BITS) - 1;

/// Where the file system behind `fd`, on `mount` and `device`, keeps its files. `now` is the monotonic clock's, and
/// `table` the calling thread's. The answer is kept; only for a mount that was not met before may a thread be started.
/// Async-signal-safe.
pub fn backing(fd: c_int, mount: Mount, device: u64, now: u64, table: Table) -> Backing {
    let key = super::hash::mix(mount.id << 1 | u64::from(mount.is_unique), device);
    let place = &KNOWN[key as usize % KNOWN.len()];
    let seconds = now >> 30;
    // Relaxed here and below: the word says all.
    let known = place.load(Ordering::Relaxed);
    let left = (known >> 4).wrapping_sub(seconds) & TIME_MASK;
    if known & !0xff_ffff == key & !0xff_ffff
        && left <= TIME_MASK / 2
        && let Some(backing) = by_code(known & 0xf)
    {
        return backing;
    }
    let (backing, fresh_s) = ask(fd, mount, device, table);
    let until = (seconds + fresh_s) & TIME_MASK;
    place.store(key & !0xff_ffff | until << 4 | code(backing), Ordering::Relaxed);
    backing
}

/// The answer, and for how long it is good.
fn ask(fd: c_int, mount: Mount, device: u64, table: Table) -> (Backing, u64) {
    if mount.is_unique
        && let Ok(backing) = statmount(mount.id)
    {
        return (backing, FOREVER_S);
    }
    let found = if mount.is_unique { mount_signs::backing(device) } else { look_up([mount.id, device], table) };
    found.map_or_else(|| ask_in_thread(fd), |backing| (backing, FRESH_S))
}

/// What sysfs or the table of mounts tells. Out of line: its buffers are not to be part of every caller's frame, whose
/// stack may be the smallest that there is.
#[cold]
#[inline(never)]
fn look_up(place: [u64; 2], table: Table) -> Option<Backing> {
    mount_signs::backing(place[1]).or_else(|| {
        let answer = match table {
            Table::Own => Ok(search(place)),
            Table::Programs => raw_thread::run_unseen(search, place, LOOKUP_LIMIT_MS),
        };
        answer.ok().and_then(by_code)
    })
}

/// What the file system itself says, if it does so in time: a server may not answer.
#[cold]
fn ask_in_thread(fd: c_int) -> (Backing, u64) {
    fn task([fd, _]: [u64; 2]) -> u64 {
        code(ask_file(fd as c_int))
    }
    let answer = raw_thread::run(Table::Programs, task, [fd as u64, 0], LOOKUP_LIMIT_MS).ok().and_then(by_code);
    (answer.unwrap_or(Backing::Remote), FRESH_S)
}

/// What the search answers beside the code of a backing.
const NOT_FOUND: u64 = 0;

/// The backing as a number from 1 to 15.
const fn code(backing: Backing) -> u64 {
    backing as u64 + 1
}

fn by_code(number: u64) -> Option<Backing> {
    [Backing::Memory, Backing::Local, Backing::Remote].into_iter().find(|&backing| code(backing) == number)
}

/// Looks for the mount's number, or the device's, in the table; twice, for it may change as it is read.
#[inline(never)]
fn search([id, device]: [u64; 2]) -> u64 {
    for _ in 0..2 {
        let mut lines = Lines::new();
        let mut by_device = NOT_FOUND;
        let found = proc_file::scan(c"/proc/thread-self/mountinfo", |bytes| {
            lines.feed(bytes, |line| {
                let backing = code(file_systems::by_name(line.name()));
                if line.device == device {
                    by_device = backing;
                }
                (line.id == id && id != 0).then_some(backing)
            })
        });
        match found {
            Err(_) => return NOT_FOUND,
            Ok(Some(backing)) => return backing,
            Ok(None) if by_device != NOT_FOUND => return by_device,
            Ok(None) => {}
        }
    }
    NOT_FOUND
}

/// What is wanted of a line of the table: `36 35 98:0 /root /mountpoint options … - name source options`.
struct Line {
    id: u64,
    device: u64,
    name: [u8; 32],
    length: usize,
}

impl Line {
    const EMPTY: Self = Self { id: 0, device: 0, name: [0; 32], length: 0 };

    /// The type's name; one that is too long is cut, and is on no list.
    fn name(&self) -> &[u8] {
        &self.name[..self.length]
    }
}

/// Takes lines of any length apart, byte by byte.
struct Lines {
    line: Line,
    /// The field that is being read, from 0, and whether the separator has been seen: then counted from the type's
    /// name.
    field: u32,
    is_after_separator: bool,
    /// Of the field: how many bytes, and the number that they were so far.
    bytes: usize,
    number: u64,
    major: u64,
    is_dash: bool,
}

impl Lines {
    const fn new() -> Self {
        Self { line: Line::EMPTY, field: 0, is_after_separator: false, bytes: 0, number: 0, major: 0, is_dash: false }
    }

    /// Calls `work` at each end of a line, until it answers.
    fn feed<T>(&mut self, bytes: &[u8], mut work: impl FnMut(&Line) -> Option<T>) -> Option<T> {
        for &byte in bytes {
            match byte {
                b'\n' => {
                    let line = core::mem::replace(self, Self::new()).line;
                    if let Some(found) = work(&line) {
                        return Some(found);
                    }
                }
                b' ' => self.end_field(),
                _ => self.take(byte),
            }
        }
        None
    }

    fn end_field(&mut self) {
        match (self.field, self.is_after_separator) {
            (0, false) => self.line.id = self.number,
            (2, false) => self.line.device = libc::makedev(self.major as u32, self.number as u32),
            _ => {}
        }
        // Optional fields are behind the sixth, and end in the separator.
        if !self.is_after_separator && self.field >= 6 && self.is_dash && self.bytes == 1 {
            self.is_after_separator = true;
            self.field = 0;
        } else {
            self.field += 1;
        }
        (self.bytes, self.number, self.is_dash) = (0, 0, false);
    }

    fn take(&mut self, byte: u8) {
        if self.is_after_separator
            && self.field == 0
            && let Some(place) = self.line.name.get_mut(self.bytes)
        {
            *place = byte;
            self.line.length = self.bytes + 1;
        }
        self.is_dash = self.bytes == 0 && byte == b'-';
        self.bytes += 1;
        match byte {
            b'0'..=b'9' => self.number = self.number.wrapping_mul(10).wrapping_add(u64::from(byte - b'0')),
            b':' => (self.major, self.number) = (self.number, 0),
            _ => {}
        }
    }
}

/// Asks the file system, where there is no other way.
fn ask_file(fd: c_int) -> Backing {
    let mut status = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: fstatfs fills the structure or fails.
    let magic = unsafe { syscall!(libc::SYS_fstatfs, fd, status.as_mut_ptr()).map(|_| status.assume_init().f_type) };
    magic.map_or(Backing::Remote, |magic| file_systems::by_magic(magic as u32))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use std::os::fd::AsRawFd;

    use super::{
        Backing, Lines, NOT_FOUND, Table, ask_file, ask_in_thread, backing, code, has_statmount, search, statmount,
    };
    use crate::host::{file_info, kernel, mount_signs};

    const TABLE: &[u8] = b"22 27 0:21 / /proc rw,nosuid shared:12 - proc proc rw\n\
        27 1 8:1 / / rw,relatime shared:1 master:2 - ext4 /dev/sda1 rw\n\
        30 27 0:33 /a - b\\040c /mnt/- x,y - fuse.sshfs - rw,user_id=0\n\
        31 27 0:34 / /q rw - overlay overlay rw,lowerdir=/a:/b\n\
        32 27 259:65537 / /r rw - a-name-that-is-longer-than-any-there-is none rw\n";

    fn lines(piece: usize) -> Vec<(u64, u64, String)> {
        let mut lines = Lines::new();
        let mut found = Vec::new();
        for bytes in TABLE.chunks(piece) {
            let none = lines.feed(bytes, |line| {
                found.push((line.id, line.device, String::from_utf8_lossy(line.name()).into_owned()));
                None::<()>
            });
            assert_eq!(none, None);
        }
        found
    }

    #[test]
    fn a_table_of_mounts_is_read_in_pieces() {
        let want = [
            (22, libc::makedev(0, 21), "proc"),
            (27, libc::makedev(8, 1), "ext4"),
            (30, libc::makedev(0, 33), "fuse.sshfs"),
            (31, libc::makedev(0, 34), "overlay"),
            (32, libc::makedev(259, 65537), "a-name-that-is-longer-than-any-t"),
        ]
        .map(|(id, device, name)| (id, device, name.to_string()));
        for piece in [1, 2, 7, 64, TABLE.len()] {
            assert_eq!(lines(piece), want, "in pieces of {piece}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "it needs the kernel")]
    fn all_ways_know_the_same() {
        // An ordinary user in a chroot is told nothing of the mount that holds the root.
        let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let is_root_mounted = table.lines().any(|line| line.split(' ').nth(4) == Some("/"));
        for path in ["/", "/proc", "/dev", "/tmp", "."] {
            let file = std::fs::File::open(path).unwrap();
            let info = file_info::info(file.as_raw_fd()).unwrap();
            let by_file = ask_file(file.as_raw_fd());
            assert_eq!(ask_in_thread(file.as_raw_fd()).0, by_file, "{path}");
            let now = kernel::now();
            assert_eq!(backing(file.as_raw_fd(), info.mount, info.device, now, Table::Programs), by_file, "{path}");
            assert!(mount_signs::backing(info.device).is_none_or(|by_sign| by_sign == by_file), "{path}");
            // Neither knows a mount outside the process's root.
            let by_table = search([if info.mount.is_unique { 0 } else { info.mount.id }, info.device]);
            assert!([code(by_file), NOT_FOUND].contains(&by_table), "{path}");
            if has_statmount() {
                assert!(info.mount.is_unique);
                assert!(statmount(info.mount.id).is_ok() || !is_root_mounted, "{path}");
                assert_eq!(statmount(info.mount.id).unwrap_or(by_file), by_file, "{path}");
            }
        }
        assert_eq!(search([u64::MAX, u64::MAX]), NOT_FOUND);
        assert!(!statmount(u64::MAX).is_ok_and(|backing| backing != Backing::Remote));
    }
}
