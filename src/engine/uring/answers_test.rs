//! Whether io_uring answers as `pread`, `pwrite` and their kin do, on the file system that `TEST_DIR` is on: short
//! reads, ends of files, holes, limits and errors. What passes may be on the list of `host::file_systems`; what was
//! run, and when, is said there.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd};
use std::path::PathBuf;
use std::ptr;

use io_uring::squeue::Entry;
use io_uring::{opcode, types::Fd};

use super::ring::Ring;
use super::tests::{result, with_ring};
use crate::host::kernel::{self, syscall, value_or_negated};

const PAGE: usize = 4096;
/// The end of the file is neither a page's nor a sector's.
const SIZE: usize = 9 * PAGE + 700;
/// Where the file has no blocks.
const HOLE: core::ops::Range<usize> = 3 * PAGE..6 * PAGE;

fn directory() -> PathBuf {
    std::env::var_os("TEST_DIR").map_or_else(std::env::temp_dir, PathBuf::from)
}

/// A file without a name, opened with `flags`; none where the file system refuses them.
fn file(flags: i32) -> Option<File> {
    let path = std::ffi::CString::new(directory().into_os_string().into_encoded_bytes()).unwrap();
    // SAFETY: reads the path.
    let open = |flags: i32| unsafe { libc::open(path.as_ptr(), flags | libc::O_RDWR | libc::O_TMPFILE, 0o600) };
    match open(0) {
        -1 => by_name(flags),
        made => {
            // SAFETY: just opened.
            let made = unsafe { File::from_raw_fd(made) };
            fill(&made);
            reopened(&made, flags)
        }
    }
}

/// The same where there is no `O_TMPFILE`.
fn by_name(flags: i32) -> Option<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = directory().join(format!("answers-{}-{:?}", std::process::id(), std::thread::current().id()));
    let made = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    fill(&made);
    let opened = File::options().read(true).write(true).custom_flags(flags).open(&path).ok();
    std::fs::remove_file(&path).unwrap();
    opened
}

fn reopened(file: &File, flags: i32) -> Option<File> {
    let path = std::ffi::CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
    // SAFETY: reads the path.
    let fd = unsafe { libc::open(path.as_ptr(), flags) };
    // SAFETY: just opened.
    (fd >= 0).then(|| unsafe { File::from_raw_fd(fd) })
}

fn fill(file: &File) {
    use std::os::unix::fs::FileExt;
    let bytes: Vec<u8> = (0..SIZE).map(|index| (index * 7 + index / PAGE) as u8 | 1).collect();
    file.write_all_at(&bytes[..HOLE.start], 0).unwrap();
    file.write_all_at(&bytes[HOLE.end..], HOLE.end as u64).unwrap();
    file.sync_all().unwrap();
}

fn content(file: &File) -> Vec<u8> {
    let mut bytes = Vec::new();
    reopened(file, libc::O_RDONLY).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// Memory behind which no page is mapped.
struct Memory {
    address: *mut u8,
    bytes: usize,
    /// Room for vectors, which are not compared.
    vectors: Vec<libc::iovec>,
}

impl Memory {
    fn new() -> Self {
        let bytes = 208 * PAGE;
        let address = kernel::map(bytes + PAGE).unwrap().cast::<u8>();
        // SAFETY: the page was mapped just now.
        unsafe { syscall!(libc::SYS_munmap, address.add(bytes), PAGE) }.unwrap();
        Self { address, bytes, vectors: Vec::new() }
    }

    fn at(&self, offset: usize) -> *mut u8 {
        self.address.wrapping_add(offset)
    }

    /// So that `inside` bytes are before the page that is not mapped.
    fn before_end(&self, inside: usize) -> *mut u8 {
        self.at(self.bytes - inside)
    }

    fn set(&self, byte: impl Fn(usize) -> u8) {
        // SAFETY: mapped for as long as this, and used by nothing else now.
        let bytes = unsafe { core::slice::from_raw_parts_mut(self.address, self.bytes) };
        bytes.iter_mut().enumerate().for_each(|(index, place)| *place = byte(index));
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: mapped for as long as this.
        unsafe { core::slice::from_raw_parts(self.address, self.bytes) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`.
        unsafe { syscall!(libc::SYS_munmap, self.address, self.bytes) }.unwrap();
    }
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Read,
    Write,
    ReadVector,
    WriteVector,
}

impl Call {
    const fn writes(self) -> bool {
        matches!(self, Self::Write | Self::WriteVector)
    }

    /// By the plain system call.
    fn plainly(self, fd: i32, address: *mut u8, length: usize, offset: i64) -> i64 {
        let number = match self {
            Self::Read => libc::SYS_pread64,
            Self::Write => libc::SYS_pwrite64,
            Self::ReadVector => libc::SYS_preadv,
            Self::WriteVector => libc::SYS_pwritev,
        };
        // SAFETY: memory of the test's, or the kernel answers EFAULT.
        let answer = unsafe { syscall!(number, fd, address, length, offset) };
        value_or_negated(answer)
    }

    fn entry(self, fd: i32, address: *mut u8, length: usize, offset: i64) -> Entry {
        let (vectors, count) = (address.cast::<libc::iovec>(), length as u32);
        match self {
            Self::Read => opcode::Read::new(Fd(fd), address, count).offset(offset as u64).build(),
            Self::Write => opcode::Write::new(Fd(fd), address, count).offset(offset as u64).build(),
            Self::ReadVector => opcode::Readv::new(Fd(fd), vectors, count).offset(offset as u64).build(),
            Self::WriteVector => opcode::Writev::new(Fd(fd), vectors, count).offset(offset as u64).build(),
        }
    }
}

/// One call, done both ways: each with a file and memory of its own.
struct Both<'a> {
    ring: &'a mut Ring,
    flags: i32,
    differences: Vec<String>,
    done: usize,
}

impl Both<'_> {
    /// `place` gives the address and the length, or the vectors and how many.
    fn call(&mut self, what: &str, call: Call, offset: i64, place: impl Fn(&mut Memory) -> (*mut u8, usize)) {
        self.call_on(what, call, offset, self.flags, place);
    }

    fn call_on(
        &mut self,
        what: &str,
        call: Call,
        offset: i64,
        flags: i32,
        place: impl Fn(&mut Memory) -> (*mut u8, usize),
    ) {
        let [mut plain, mut uring] = [(); 2].map(|()| (file(flags).unwrap(), Memory::new()));
        for (_, memory) in [&plain, &uring] {
            memory.set(|index| if call.writes() { (index * 3 + index / PAGE) as u8 | 1 } else { 0xee });
        }
        let (address, length) = place(&mut plain.1);
        let want = call.plainly(plain.0.as_raw_fd(), address, length, offset);
        let (address, length) = place(&mut uring.1);
        let got = i64::from(result(self.ring, &call.entry(uring.0.as_raw_fd(), address, length, offset)));
        self.done += 1;
        let mut differ = |why: String| self.differences.push(format!("{what}, {call:?}, flags {flags:o}: {why}"));
        if got != want {
            differ(format!("io_uring gives {got}, the system call {want}"));
        } else if !call.writes() && (plain.1.bytes() != uring.1.bytes()) {
            // Bytes behind a short read, or of one that failed, may differ: they are not part of the answer.
            let counted = usize::try_from(want).unwrap_or(0);
            let first = plain.1.bytes().iter().zip(uring.1.bytes()).position(|(a, b)| a != b);
            differ(format!("{counted} bytes, and the memory differs at {first:?}"));
        }
        if call.writes() && content(&plain.0) != content(&uring.0) {
            differ(format!("both give {want}, and the files differ"));
        }
    }
}

/// Vectors, each an address and a length.
fn vectors(memory: &mut Memory, list: &[(*mut u8, usize)]) -> (*mut u8, usize) {
    let vector = |&(base, iov_len): &(*mut u8, usize)| libc::iovec { iov_base: base.cast(), iov_len };
    memory.vectors = list.iter().map(vector).collect();
    (memory.vectors.as_mut_ptr().cast(), list.len())
}

fn compare_all(both: &mut Both) {
    let end = SIZE as i64;
    let page = PAGE as i64;
    for call in [Call::Read, Call::Write] {
        for (what, offset, length) in [
            ("the beginning", 0, PAGE),
            ("a sector", 512, 512),
            ("several pages", page, 4 * PAGE),
            ("into the hole", 2 * page, 2 * PAGE),
            ("out of the hole", 5 * page, 2 * PAGE),
            ("the hole", HOLE.start as i64, HOLE.len()),
            ("everything and more", 0, 200 * PAGE),
            ("across the end", 9 * page, PAGE),
            ("100 bytes before the end", end - 100, PAGE),
            ("100 bytes before the end, to it", end - 100, 100),
            ("a page before the end, odd", end - page, PAGE),
            ("at the end", end, PAGE),
            ("at the end's page", 10 * page, PAGE),
            ("far behind the end", 1 << 32, PAGE),
            ("no bytes", 0, 0),
            ("no bytes behind the end", end + 1, 0),
            ("an odd length", 0, 1000),
            ("an odd offset", 100, PAGE),
            ("odd both", 4095, 2),
            ("beyond the largest file", i64::MAX - page + 1, PAGE),
            ("before the file", -page, PAGE),
        ] {
            both.call(what, call, offset, |memory| (memory.at(0), length));
        }
        both.call("an odd address", call, 0, |memory| (memory.at(100), PAGE));
        both.call("an address odd by a sector", call, 0, |memory| (memory.at(512), PAGE));
        both.call("no memory", call, 0, |_| (ptr::null_mut(), PAGE));
        both.call("no memory and no bytes", call, 0, |_| (ptr::null_mut(), 0));
        both.call("no memory at the end", call, end, |_| (ptr::null_mut(), PAGE));
        both.call("an address of the kernel's", call, 0, |_| (ptr::without_provenance_mut(usize::MAX - 8191), PAGE));
        both.call("memory that ends too soon", call, 0, |memory| (memory.before_end(PAGE), 2 * PAGE));
        both.call("memory that ends in a page", call, 0, |memory| (memory.before_end(PAGE + 100), 2 * PAGE));
        both.call("memory that ends behind the end", call, 9 * page, |memory| (memory.before_end(PAGE), 2 * PAGE));
    }
    for call in [Call::ReadVector, Call::WriteVector] {
        both.call("two vectors", call, 0, |m| vectors(m, &[(m.at(0), PAGE), (m.at(3 * PAGE), 2 * PAGE)]));
        both.call("odd vectors", call, 0, |m| vectors(m, &[(m.at(1), 5), (m.at(PAGE), 2000), (m.at(9 * PAGE), 2091)]));
        both.call("vectors across the end", call, 9 * page, |m| {
            vectors(m, &[(m.at(0), 512), (m.at(PAGE), 512), (m.at(2 * PAGE), PAGE)])
        });
        both.call("an empty vector between", call, 0, |m| {
            vectors(m, &[(m.at(0), PAGE), (ptr::null_mut(), 0), (m.at(PAGE), PAGE)])
        });
        both.call("no vector", call, 0, |m| vectors(m, &[]));
        both.call("empty vectors", call, 0, |m| vectors(m, &[(m.at(0), 0), (m.at(0), 0)]));
        both.call("vectors without an address", call, 0, |_| (ptr::null_mut(), 2));
        both.call("a vector without memory", call, 0, |m| vectors(m, &[(m.at(0), PAGE), (ptr::null_mut(), PAGE)]));
        both.call("the first without memory", call, 0, |m| vectors(m, &[(ptr::null_mut(), PAGE), (m.at(0), PAGE)]));
        both.call("a vector that ends too soon", call, 0, |m| {
            vectors(m, &[(m.at(0), PAGE), (m.before_end(PAGE), 2 * PAGE), (m.at(PAGE), PAGE)])
        });
        both.call("a negative length", call, 0, |m| vectors(m, &[(m.at(0), PAGE), (m.at(0), usize::MAX)]));
        both.call("1024 vectors", call, 0, |m| {
            vectors(m, &(0..1024).map(|index| (m.at(index * 16), 16)).collect::<Vec<_>>())
        });
        both.call("1025 vectors", call, 0, |m| {
            vectors(m, &(0..1025).map(|index| (m.at(index * 16), 16)).collect::<Vec<_>>())
        });
    }
    both.call_on("not for writing", Call::Write, 0, both.flags & !libc::O_RDWR, |memory| (memory.at(0), PAGE));
    both.call_on("not for reading", Call::Read, 0, both.flags & !libc::O_RDWR | libc::O_WRONLY, |memory| {
        (memory.at(0), PAGE)
    });
}

/// Does `work` while files of this process may have `bytes` at most. SIGXFSZ is blocked, and taken if it was sent.
fn with_file_limit(bytes: usize, work: impl FnOnce()) {
    let mut before = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: structures of this function's; the signal is blocked in this thread.
    unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGXFSZ);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut());
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut before);
        let limit = libc::rlimit { rlim_cur: bytes as u64, ..before };
        libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit);
        work();
        libc::setrlimit(libc::RLIMIT_FSIZE, &raw const before);
    }
}

/// By itself, for the limit is the process's: `TEST_DIR=… cargo test --lib answers -- --ignored`.
#[test]
#[ignore = "for one file system at a time, and alone: sets RLIMIT_FSIZE"]
fn answers_are_those_of_the_system_calls() {
    with_ring(|mut ring| {
        let mut both = Both { ring: &mut ring, flags: libc::O_RDWR, differences: Vec::new(), done: 0 };
        for flags in [0, libc::O_DIRECT, libc::O_DSYNC, libc::O_DIRECT | libc::O_DSYNC, libc::O_APPEND] {
            both.flags = libc::O_RDWR | flags;
            if file(both.flags).is_none() {
                println!("not with flags {flags:o}");
                continue;
            }
            compare_all(&mut both);
            with_file_limit(10 * PAGE, || {
                for (what, offset, length) in [
                    ("up to the limit", 9 * PAGE, PAGE),
                    ("across the limit", 9 * PAGE, 4 * PAGE),
                    ("across the limit, odd", 9 * PAGE, 2 * PAGE + 100),
                    ("at the limit", 10 * PAGE, PAGE),
                    ("behind the limit", 20 * PAGE, PAGE),
                ] {
                    both.call(what, Call::Write, offset as i64, |memory| (memory.at(0), length));
                }
            });
        }
        println!("{} calls compared on {}", both.done, directory().display());
        assert!(both.differences.is_empty(), "{}", both.differences.join("\n"));
    });
}

/// The same where the file system is full but for 16 pages: `TEST_DIR` is on a small one, which this fills.
#[test]
#[ignore = "fills the file system of TEST_DIR"]
fn answers_are_those_of_a_full_file_system() {
    with_ring(|mut ring| {
        let small: Vec<_> = [0, libc::O_DIRECT].iter().filter_map(|flags| file(libc::O_RDWR | flags)).collect();
        let filler = file(libc::O_RDWR).unwrap();
        let (mut piece, mut taken) = (1i64 << 28, SIZE.next_multiple_of(PAGE) as i64);
        while piece >= PAGE as i64 {
            // SAFETY: takes blocks for a file of the test's.
            match unsafe { libc::fallocate(filler.as_raw_fd(), 0, taken, piece) } {
                0 => taken += piece,
                _ => piece /= 2,
            }
            assert!(taken < 1 << 31, "not a small file system");
        }
        filler.set_len(taken as u64 - 16 * PAGE as u64).unwrap();
        filler.sync_all().unwrap();
        let memory = Memory::new();
        memory.set(|_| 1);
        for small in small {
            let (fd, offset, length) = (small.as_raw_fd(), 10 * PAGE as i64, 200 * PAGE);
            let mut written = |plain: bool| {
                small.set_len(SIZE as u64).unwrap();
                small.sync_all().unwrap();
                if plain {
                    Call::Write.plainly(fd, memory.at(0), length, offset)
                } else {
                    result(&mut ring, &Call::Write.entry(fd, memory.at(0), length, offset)).into()
                }
            };
            let answers = [true, false, true, false].map(&mut written);
            println!("system call, io_uring, and again: {answers:?}");
            // The first settles what btrfs had put off.
            assert!(answers[1..].iter().all(|&answer| answer == answers[1]));
        }
    });
}
