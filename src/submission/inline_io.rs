//! What is done in the calling thread: reads that are in the page cache, and buffered writes.
//!
//! The kernel's own AIO does buffered I/O inside `io_submit`, and programs count on finding its event when that returns. A
//! cached read by `preadv2(RWF_NOWAIT)` costs less than the way to another thread and back; what is not cached goes to an
//! engine. A buffered write cannot say that it must not wait (most file systems refuse `RWF_NOWAIT`) and is simply done: a
//! copy into the page cache. It can stall, though (dirty throttling, a full journal), and a call that stalls is not
//! asynchronous: so for POSIX a breaker sends writes to the engines for a while when one did.
//!
//! What differs between the faces is data: [`Policy`].

use core::ffi::{c_int, c_long};

use super::breaker::{Breaker, Limits, STALL_NS};
use super::device_profile;
use super::fd_cache::{self, FdInfo};
use crate::engine::Kind;
use crate::host::kernel::{self, Errno, syscall, value_or_negated};
use crate::host::positional_io::{NO_OFFSET, transfer, transfer_anywhere};
use crate::host::{file_info, file_size_limit, kernel_version, socket_options};

/// What differs between the faces.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Longer transfers go to an engine: a program expects to go on while they are copied, and to find them in progress.
    pub max_bytes: usize,
    /// Whether the caller must not be kept waiting: writes that stall send those after them to an engine for a while, none is done
    /// that could raise SIGXFSZ, and no read that cannot be tried without waiting, however quick those before it were.
    pub breaks: bool,
}

/// "Returns when the request is queued": no long copies, nothing that is known to stall. (A copy of 512 KiB takes a few times
/// what a wake of another thread does, 30 µs measured.)
pub const POSIX: Policy = Policy { max_bytes: 1 << 19, breaks: true };

/// As the kernel's `io_submit`.
pub const LIBAIO: Policy = Policy { max_bytes: usize::MAX, breaks: false };

/// One read or write.
#[derive(Clone, Copy)]
pub struct Transfer<'a> {
    /// Of what.
    pub fd: c_int,
    /// What is known of it.
    pub file: FdInfo,
    /// The buffers.
    pub vectors: &'a [libc::iovec],
    /// Their bytes.
    pub total: usize,
    /// Position.
    pub offset: i64,
    /// `RWF_*`.
    pub flags: c_int,
}

/// How an attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Done, with this result.
    Done(i64),
    /// Not done: the engine's.
    Left,
    /// Not done, and only now known to be the workers'.
    ForWorkers,
    /// Not done, but some of the buffer was written to: it is in progress, and the engine's from its start.
    Touched,
    /// So many bytes of a stream were written; the rest is the engine's.
    Partly(usize),
    /// Not done: the descriptor names another file than was known.
    Outdated,
}

use Attempt::{Done, ForWorkers, Left, Outdated, Partly, Touched};

impl Transfer<'_> {
    fn read_at(&self, vectors: &[libc::iovec], offset: i64, flags: c_int) -> Result<usize, Errno> {
        transfer(false, self.fd, vectors, offset, flags)
    }

    fn write_at(&self, offset: i64, flags: c_int) -> Result<usize, Errno> {
        transfer(true, self.fd, self.vectors, offset, flags)
    }

    /// Reads from a regular file or block device.
    #[inline]
    pub fn read(&self, policy: &Policy) -> Attempt {
        if self.total > policy.max_bytes {
            return Left;
        }
        if self.file.in_memory() {
            return policy
                .unless_stalling(|| Done(value_or_negated(self.read_at(self.vectors, self.offset, self.flags))));
        }
        if self.flags & libc::RWF_NOWAIT != 0 && !self.file.is_direct() {
            return Done(value_or_negated(self.read_at(self.vectors, self.offset, self.flags)));
        }
        if self.file.is_direct() {
            return self.on_immediate_device(policy, false);
        }
        if !self.file.reads_without_waiting() {
            return self.read_untried(policy);
        }
        let mut done = match self.read_at(self.vectors, self.offset, self.flags | libc::RWF_NOWAIT) {
            Ok(0) if self.may_be_wrong() => return Left,
            Ok(count) if count == self.total || count == 0 => return Done(count as i64),
            Ok(count) => count,
            Err(errno) => return self.refused(errno, policy),
        };
        // Short: at the end of the file, or at the end of what is cached.
        loop {
            match self.read_at(&[self.vector_at(done)], self.offset + done as i64, self.flags | libc::RWF_NOWAIT) {
                Ok(0) if self.may_be_wrong() => return Touched,
                Ok(0) => return Done(done as i64),
                Ok(count) => done += count,
                Err(Errno(libc::EAGAIN)) => return Touched,
                Err(_) => return Done(done as i64),
            }
            if done == self.total {
                return Done(done as i64);
            }
        }
    }

    /// Whether the answer that there is nothing to be read is one of those that 5.9 and 5.10 give wrongly.
    fn may_be_wrong(&self) -> bool {
        kernel_version::nothing_may_be_wrong() && self.total > 0 && !file_info::ends_by(self.fd, self.offset)
    }

    /// What is left, after `done` bytes, of the buffer that these end in.
    fn vector_at(&self, done: usize) -> libc::iovec {
        let mut before = 0;
        for vector in self.vectors {
            if done < before + vector.iov_len {
                let part = done - before;
                return libc::iovec {
                    iov_base: vector.iov_base.wrapping_byte_add(part),
                    iov_len: vector.iov_len - part,
                };
            }
            before += vector.iov_len;
        }
        libc::iovec { iov_base: core::ptr::null_mut(), iov_len: 0 }
    }

    #[cold]
    fn refused(&self, errno: Errno, policy: &Policy) -> Attempt {
        match errno {
            Errno(libc::EAGAIN | libc::EINTR) => Left,
            Errno(libc::EOPNOTSUPP) if self.is_outdated() => Outdated,
            Errno(libc::EOPNOTSUPP) => {
                let file = fd_cache::learn_no_nowait(self.fd, self.file);
                match (Transfer { file, ..*self }).read_untried(policy) {
                    Left => ForWorkers,
                    attempt => attempt,
                }
            }
            errno => self.answered(Err(errno)),
        }
    }

    /// A flag of the settings was refused: whether the file was another's, which takes it.
    fn is_outdated(&self) -> bool {
        self.file.flags_by_setting() != 0 && !matches!(fd_cache::look_again(self.fd, self.file), Ok(None))
    }

    /// The kernel's answer, unless it does not fit what is known of the file.
    fn answered(&self, answer: Result<usize, Errno>) -> Attempt {
        if answer == Err(Errno(libc::EOPNOTSUPP)) && self.is_outdated() {
            return Outdated;
        }
        if !matches!(answer, Err(Errno(libc::ESPIPE | libc::EBADF | libc::EISDIR))) {
            return Done(value_or_negated(answer));
        }
        match fd_cache::look_again(self.fd, self.file) {
            // Some files of /proc are regular and have no positions.
            Ok(None) if self.file.seeks() => Left,
            Ok(None) => Done(value_or_negated(answer)),
            _ => Outdated,
        }
    }

    /// Writes to a regular file or block device.
    #[inline]
    pub fn write(&self, policy: &Policy) -> Attempt {
        const WAITS: c_int = libc::RWF_SYNC | libc::RWF_DSYNC | libc::RWF_ATOMIC;
        let file = self.file;
        if self.total > policy.max_bytes {
            return Left;
        }
        if file.is_direct() && !file.syncs() && self.flags & WAITS == 0 {
            return self.on_immediate_device(policy, true);
        }
        let waits = file.is_direct() || file.syncs() || !file.is_local() || self.flags & WAITS != 0;
        let is_asked_not_to = self.flags & libc::RWF_NOWAIT != 0 && !file.is_direct();
        if waits && !file.in_memory() && !is_asked_not_to {
            return Left;
        }
        if self.may_raise_signal(policy) {
            return Left;
        }
        policy.unless_stalling(|| match self.write_at(self.offset, self.flags) {
            Ok(count) => Done(count as i64),
            refused => self.answered(refused),
        })
    }

    /// Whether a write that must not raise SIGXFSZ could do so: it would go to the program's thread.
    fn may_raise_signal(&self, policy: &Policy) -> bool {
        policy.breaks && file_size_limit::may_be_passed((self.offset as u64).saturating_add(self.total as u64))
    }

    /// Past the page cache to a device, or perhaps past it: done here if the device completes requests immediately.
    fn on_immediate_device(&self, policy: &Policy, writes: bool) -> Attempt {
        let device = self.file.device;
        if writes && self.may_raise_signal(policy) {
            return Left;
        }
        if !self.file.is_remote() && device_profile::completes_immediately(device) {
            return Done(device_profile::watch(device, || self.finish(writes)));
        }
        Left
    }

    /// Reads what cannot be tried without waiting: here if its device completes requests immediately, or has shown that such reads
    /// are quick.
    fn read_untried(&self, policy: &Policy) -> Attempt {
        let attempt = self.on_immediate_device(policy, false);
        if attempt != Left || policy.breaks || !self.may_wait_here() {
            return attempt;
        }
        let read = || self.read_at(self.vectors, self.offset, self.flags);
        match device_profile::watch_read(self.file.device, read) {
            Ok(count) => Done(count as i64),
            // A signal came, and the server has answered to that. No signal disturbs a worker.
            Err(Errno(libc::EINTR)) => Left,
            refused => self.answered(refused),
        }
    }

    /// Whether a read goes through the page cache of a file, and cannot be tried without waiting: it is done in the calling thread
    /// (libaio) while those that the workers did have turned out to be quick.
    pub const fn cannot_be_tried(&self) -> bool {
        self.file.seeks() && !self.file.is_direct() && !self.file.reads_without_waiting()
    }

    /// Whether that is the case now, so that it may wait in the calling thread.
    pub fn may_wait_here(&self) -> bool {
        self.cannot_be_tried() && device_profile::reads_are_quick(self.file.device, self.file.is_local())
    }

    /// Does it in the calling thread, however long it takes.
    #[cold]
    pub fn finish(&self, writes: bool) -> i64 {
        value_or_negated(transfer_anywhere(writes, self.fd, self.vectors, self.offset, self.flags))
    }

    /// Reads from a stream what is there.
    pub fn receive(&self) -> Attempt {
        if self.total == 0 && !self.file.is_socket() {
            return self.nothing(libc::SYS_read);
        }
        if !self.may_refuse() && self.waits_for_more() {
            return Left;
        }
        match self.without_waiting(|offset, flags| self.read_at(self.vectors, offset, flags)) {
            Err(Errno(libc::EAGAIN)) if self.may_refuse() => Done(Errno(libc::EAGAIN).negated()),
            Err(Errno(libc::EAGAIN | libc::EINTR | libc::EOPNOTSUPP)) => Left,
            answer => self.answered(answer),
        }
    }

    /// Whether a call that must not wait would answer with less than one that may: of a socket with a low-water mark
    /// (socket(7), `SO_RCVLOWAT`), or of a device, which may stop after a page (`read_iter_zero` of drivers/char/mem.c).
    fn waits_for_more(&self) -> bool {
        (self.file.is_socket() && socket_options::low_water_bytes(self.fd) > 1)
            || (self.file.is_character_device() && self.total > kernel::page_size())
    }

    /// A transfer of no bytes: `preadv2` and `pwritev2` do not ask the file, the kernel's AIO and the plain calls do.
    #[cold]
    fn nothing(&self, number: c_long) -> Attempt {
        // SAFETY: no buffer is needed.
        Done(value_or_negated(unsafe { syscall!(number, self.fd, 0, 0) }))
    }

    /// Writes to a stream what it takes.
    pub fn send(&self) -> Attempt {
        if self.total == 0 {
            return self.nothing(libc::SYS_write);
        }
        match self.without_waiting(|offset, flags| self.write_at(offset, flags)) {
            Err(Errno(libc::EAGAIN)) if self.may_refuse() => Done(Errno(libc::EAGAIN).negated()),
            Err(Errno(libc::EAGAIN | libc::EINTR | libc::EOPNOTSUPP)) => Left,
            Ok(count) if count < self.total && !self.may_refuse() => Partly(count),
            answer => self.answered(answer),
        }
    }

    /// Whether `EAGAIN` is an answer for the program.
    const fn may_refuse(&self) -> bool {
        self.file.is_nonblocking() || self.flags & libc::RWF_NOWAIT != 0
    }

    fn without_waiting(&self, call: impl Fn(i64, c_int) -> Result<usize, Errno>) -> Result<usize, Errno> {
        let flags = if self.file.is_nonblocking() { self.flags } else { self.flags | libc::RWF_NOWAIT };
        // A character device may have positions; what has none says so, and goes on where it is. A socket refuses any
        // position but 0 (`sock_read_iter` of net/socket.c), a pipe does not look at it.
        match call(self.offset, flags) {
            Err(Errno(libc::ESPIPE)) if self.offset == 0 || !self.file.is_socket() => call(NO_OFFSET, flags),
            answer => answer,
        }
    }
}

/// What is true of `events` at this moment.
pub fn poll(fd: c_int, events: u16) -> Attempt {
    match kernel::ready(fd, events.into()) {
        Ok(seen) if seen != 0 && seen & libc::POLLNVAL as u32 == 0 => Done(seen.into()),
        _ => Left,
    }
}

/// Whether a poll of `events`, none of which is true now, can be told of a change. Files without one are always ready in all
/// four ways (`DEFAULT_POLLMASK` of the kernel's); the kernel's own file systems have files with one. Who waits for
/// something else on such a file finds out by waiting.
pub fn may_be_awaited(fd: c_int, file: FdInfo, events: u16) -> bool {
    const ALWAYS: u32 = (libc::POLLIN | libc::POLLOUT | libc::POLLRDNORM | libc::POLLWRNORM) as u32;
    if file.streams() {
        return true;
    }
    if !file.seeks() || file.is_local() || file.in_memory() {
        return false;
    }
    events & libc::POLLPRI as u16 != 0 || kernel::ready(fd, ALWAYS) != Ok(ALWAYS)
}

/// Adds one to the count of an eventfd, which never waits: a count at its limit stays there.
pub fn signal_eventfd(fd: c_int, file: FdInfo) {
    if !file.is_nonblocking() && poll(fd, libc::POLLOUT as u16) == Left {
        return;
    }
    let one: u64 = 1;
    // SAFETY: writes from a live word.
    let _ = unsafe { syscall!(libc::SYS_write, fd, &raw const one, size_of::<u64>()) };
}

/// `fsync` or `fdatasync` in the calling thread.
#[cold]
pub fn sync(fd: c_int, kind: Kind) -> i64 {
    let number = if kind == Kind::DataSync { libc::SYS_fdatasync } else { libc::SYS_fsync };
    // SAFETY: takes a descriptor.
    value_or_negated(unsafe { syscall!(number, fd) })
}

impl Policy {
    /// Does a transfer that may stall, unless others did a moment ago.
    fn unless_stalling(&self, transfer: impl FnOnce() -> Attempt) -> Attempt {
        if !self.breaks {
            return transfer();
        }
        if BREAKER.is_closed() { BREAKER.watch(transfer) } else { Left }
    }
}

/// Sends writes to the engines for a while after some stalled. A stall takes several times what a copy of the largest size
/// does. Where the system throttles writers it stops them once in some hundred pages: so many writes are watched.
static BREAKER: Breaker = Breaker::new(Limits {
    slow_ns: 5_000_000,
    stall_ns: STALL_NS,
    watched: 256,
    pause_ns: 50_000_000,
    max_doublings: 5,
});
