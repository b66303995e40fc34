//! What can be done in the program's own thread without waiting: reads that are in the page cache, and buffered writes.
//!
//! A cached read by `preadv2(RWF_NOWAIT)` costs less than the way to another thread and back. A buffered write is a copy
//! into the page cache; the kernel's own AIO does it inside `io_submit` for the same reason. It can stall, though (dirty
//! throttling, a file system that waits for its journal), and a call that stalls is not asynchronous: so a breaker sends
//! writes to the engine for a while when one did. What is known to wait (O_DIRECT, O_SYNC, pipes, file systems of another
//! machine or process) is never tried, nor what must keep an order (O_APPEND).

use core::ffi::c_int;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::aiocb::IoArgs;
use super::fd_cache::{self, KnownFile};
use crate::engine::Kind;
use crate::host::file_info::{self, Backing, FileInfo};
use crate::host::kernel::{self, Errno, syscall};
use crate::host::kernel_version;

/// What became of an attempt.
pub enum Answer {
    /// It is over, with a count or `-errno`.
    Over(i64),
    /// It is the engine's to do, on a file of which this is known.
    Engine(FileInfo),
    /// The same, but some of the bytes have been read: it has partially_done.
    Begun(FileInfo),
}

/// A read that went as far as the page cache does.
struct Partly(bool);

/// The largest transfer that is done in place: a copy of this size takes a few times what a wake of another thread does (30 µs
/// measured). With a larger one a program expects to go on while it is copied, and to find it in progress.
const MAX_INLINE_BYTES: usize = 1 << 19;

/// Lengths that no address space has room for: the kernel answers EFAULT or EINVAL without doing anything.
const IMPOSSIBLE_BYTES: usize = 1 << 57;

/// Does the work, if that is sure not to take long.
pub fn attempt(work: &IoArgs) -> Answer {
    let is_transfer = matches!(work.kind, Kind::Read | Kind::Write);
    // As `pread` has it: before the descriptor is looked at. (io_uring would take -1 for the file's position.)
    if is_transfer && work.offset < 0 {
        return Answer::Over(Errno(libc::EINVAL).negated());
    }
    let is_small = is_transfer && (1..=MAX_INLINE_BYTES).contains(&work.length);
    let known = if is_small { fd_cache::recall(work.fd) } else { None };
    let mut partly = Partly(false);
    if let Some(file) = known
        && let Some(result) = in_place(work, file, &mut partly)
    {
        return Answer::Over(result);
    }
    let flags = match file_info::flags(work.fd) {
        Ok(flags) => flags,
        Err(errno) => return Answer::Over(errno.negated()),
    };
    if is_transfer && work.length >= IMPOSSIBLE_BYTES {
        return Answer::Over(refusal(work).negated());
    }
    if work.kind == Kind::Read && work.length == 0 {
        // `preadv2` of nothing looks at nothing; `pread` of nothing finds out what cannot be read, and does not wait.
        // SAFETY: no buffer is needed.
        match unsafe { syscall!(libc::SYS_pread64, work.fd, work.address, 0, work.offset) } {
            Err(Errno(libc::ESPIPE)) => {}
            Err(errno) => return Answer::Over(errno.negated()),
            Ok(_) => return Answer::Over(0),
        }
    }
    if is_small
        && known.is_none()
        && let Some(result) = first_time(work, flags, &mut partly)
    {
        return Answer::Over(result);
    }
    match file_info::info_with_flags(work.fd, flags) {
        Ok(info) if partly.0 => Answer::Begun(info),
        Ok(info) => Answer::Engine(info),
        Err(errno) => Answer::Over(errno.negated()),
    }
}

/// A transfer on a descriptor of which nothing is known.
fn first_time(work: &IoArgs, flags: c_int, partly: &mut Partly) -> Option<i64> {
    match learn(work.fd, flags) {
        Some(file) => in_place(work, file, partly),
        // Where a read can be asked not to wait, it does not, whatever else the file is.
        None if work.kind == Kind::Read && flags & libc::O_DIRECT == 0 => read_cached(work, partly),
        None => None,
    }
}

/// A transfer on a plain file.
fn in_place(work: &IoArgs, file: KnownFile, partly: &mut Partly) -> Option<i64> {
    match work.kind {
        Kind::Read if file.in_memory => read_from_memory(work),
        Kind::Read => read_cached(work, partly),
        _ => write_in_place(work, file),
    }
}

/// What the kernel says to a length that it cannot take.
fn refusal(work: &IoArgs) -> Errno {
    let (at, plain) = match work.kind {
        Kind::Read => (libc::SYS_pread64, libc::SYS_read),
        _ => (libc::SYS_pwrite64, libc::SYS_write),
    };
    // SAFETY: refused before the buffer is looked at: no buffer is that long.
    let answer = unsafe {
        match syscall!(at, work.fd, work.address, work.length, work.offset) {
            Err(Errno(libc::ESPIPE)) => syscall!(plain, work.fd, work.address, work.length),
            answer => answer,
        }
    };
    answer.err().unwrap_or(Errno(libc::EINVAL))
}

/// Reads what is in the page cache: all that was asked for, or all that there is. None: not without waiting.
fn read_cached(work: &IoArgs, partly: &mut Partly) -> Option<i64> {
    match read_now(work.fd, work.address, work.length, work.offset) {
        Ok(count) if count == work.length || count == 0 => Some(count as i64),
        Ok(count) => {
            // Short: at the end of the file, or where the cache ends. One byte more tells.
            let end = work.offset.checked_add(count as i64)?;
            let mut byte = 0u8;
            partly.0 = read_now(work.fd, (&raw mut byte).addr(), 1, end) != Ok(0);
            (!partly.0).then_some(count as i64)
        }
        Err(_) => None,
    }
}

fn read_now(fd: c_int, address: usize, length: usize, offset: i64) -> Result<usize, Errno> {
    let vector = libc::iovec { iov_base: address as *mut _, iov_len: length };
    // SAFETY: the kernel checks the program's buffer; the vector is ours.
    let answer = unsafe { syscall!(libc::SYS_preadv2, fd, &raw const vector, 1, offset, 0, libc::RWF_NOWAIT) };
    if answer == Ok(0) && length > 0 && kernel_version::nothing_may_be_wrong() && !file_info::ends_by(fd, offset) {
        return Err(Errno(libc::EAGAIN));
    }
    answer
}

/// Reads from a file system that has nothing but memory (tmpfs), which does not know `RWF_NOWAIT` and need not.
fn read_from_memory(work: &IoArgs) -> Option<i64> {
    let start = kernel::now();
    if !BREAKER.is_closed(start) {
        return None;
    }
    // SAFETY: the kernel checks the program's buffer.
    let count = unsafe { syscall!(libc::SYS_pread64, work.fd, work.address, work.length, work.offset) };
    BREAKER.note(start);
    count.ok().map(|count| count as i64)
}

/// Open flags that make a transfer wait or keep an order. (O_SYNC includes the bit of O_DSYNC.)
const UNFIT: c_int = libc::O_DIRECT | libc::O_APPEND | libc::O_DSYNC;

/// What is known of the file behind `fd` from here on, if it is a plain one.
fn learn(fd: c_int, flags: c_int) -> Option<KnownFile> {
    if flags & UNFIT != 0 {
        return None;
    }
    let info = file_info::info_with_flags(fd, flags).ok().filter(|info| info.kind == file_info::Kind::Regular)?;
    let backing = file_info::backing(fd, &info, kernel::now());
    let known = KnownFile { size: info.size, in_memory: backing == Backing::Memory };
    (backing != Backing::Remote).then(|| {
        fd_cache::note(fd, known);
        known
    })
}

fn write_in_place(work: &IoArgs, file: KnownFile) -> Option<i64> {
    let start = kernel::now();
    if !BREAKER.is_closed(start) {
        return None;
    }
    let end = (work.offset as u64).saturating_add(work.length as u64);
    if end > file.size && file_info::may_raise_signal(end) {
        return None;
    }
    // SAFETY: the kernel checks the program's buffer.
    let written = unsafe { syscall!(libc::SYS_pwrite64, work.fd, work.address, work.length, work.offset) };
    BREAKER.note(start);
    // What failed is tried again by the engine, and fails there.
    let count = written.ok()?;
    if end > file.size && count == work.length {
        fd_cache::note(work.fd, KnownFile { size: end, ..file });
    }
    Some(count as i64)
}

/// Sends work to the engine for a while after some stalled.
struct Breaker {
    /// Open until this time of the monotonic clock.
    until: AtomicU64,
    /// How many attempts in a row stalled.
    stalls: AtomicU32,
}

/// What counts as a stall: several times what a copy of the largest size takes.
const STALL_NS: u64 = 3_000_000;

/// How long the breaker stays open after the first stall. Doubled for each that follows, at most five times.
const PAUSE_NS: u64 = 50_000_000;

static BREAKER: Breaker = Breaker { until: AtomicU64::new(0), stalls: AtomicU32::new(0) };

impl Breaker {
    fn is_closed(&self, now: u64) -> bool {
        // Relaxed here and below: a thread that sees an old value tries once more than it should.
        now >= self.until.load(Ordering::Relaxed)
    }

    /// Takes note of an attempt that began at `start`.
    fn note(&self, start: u64) {
        let now = kernel::now();
        let stalls = self.stalls.load(Ordering::Relaxed);
        if now - start > STALL_NS {
            self.until.store(now + (PAUSE_NS << stalls.min(5)), Ordering::Relaxed);
            self.stalls.store(stalls.saturating_add(1), Ordering::Relaxed);
        } else if stalls > 0 {
            self.stalls.store(0, Ordering::Relaxed);
        }
    }
}
