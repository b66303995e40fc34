//! What is done in the calling thread, inside `io_submit`, as the kernel's own AIO does it: buffered I/O that need not wait
//! for a device. Programs count on finding its event when `io_submit` returns.
//!
//! Reads say `RWF_NOWAIT`: what is not cached goes to the engine. Writes cannot say that (most file systems refuse it) and
//! are simply done. One may take long (dirty throttling, a full journal), in the kernel's `io_submit` as well; the programs
//! that look for its event without waiting are worse off without it than with a slow call.

use core::ffi::c_int;

use super::fd_cache::{self, FdInfo};
use super::iocb::rwf;
use crate::host::kernel::{Errno, syscall};
use crate::host::{file_info, kernel_version};

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
    /// So many bytes of a stream were written; the rest is the engine's.
    Partly(usize),
}

use Attempt::{Done, Left, Partly};

fn result(answer: Result<usize, Errno>) -> i64 {
    answer.map_or_else(Errno::negated, |count| count as i64)
}

impl Transfer<'_> {
    fn read_at(&self, vectors: &[libc::iovec], offset: i64, flags: c_int) -> Result<usize, Errno> {
        // SAFETY: the kernel answers for bad buffers, which are the program's. The high half of the offset is 0 where
        // registers have 64 bits.
        unsafe { syscall!(libc::SYS_preadv2, self.fd, vectors.as_ptr(), vectors.len(), offset, 0, flags) }
    }

    fn write_at(&self, offset: i64, flags: c_int) -> Result<usize, Errno> {
        let vectors = self.vectors;
        // SAFETY: as above.
        unsafe { syscall!(libc::SYS_pwritev2, self.fd, vectors.as_ptr(), vectors.len(), offset, 0, flags) }
    }

    /// Reads from a regular file or block device.
    #[inline]
    pub fn read(&self) -> Attempt {
        if self.file.in_memory() || (self.flags & rwf::NOWAIT != 0 && !self.file.is_direct()) {
            return Done(result(self.read_at(self.vectors, self.offset, self.flags)));
        }
        if self.file.is_direct() || self.file.waits() {
            return Left;
        }
        let mut done = match self.read_at(self.vectors, self.offset, self.flags | rwf::NOWAIT) {
            Ok(0) if kernel_version::nothing_may_be_wrong() && !file_info::ends_by(self.fd, self.offset) => {
                return Left;
            }
            Ok(count) if count == self.total || count == 0 => return Done(count as i64),
            Ok(count) => count,
            Err(errno) => return self.refused(errno),
        };
        // Short: at the end of the file, or at the end of what is cached.
        loop {
            match self.read_at(&[self.vector_at(done)], self.offset + done as i64, self.flags | rwf::NOWAIT) {
                Ok(0) if kernel_version::nothing_may_be_wrong() && !file_info::ends_by(self.fd, self.offset) => {
                    return Left;
                }
                Ok(0) => return Done(done as i64),
                Ok(count) => done += count,
                Err(Errno(libc::EAGAIN)) => return Left,
                Err(_) => return Done(done as i64),
            }
            if done == self.total {
                return Done(done as i64);
            }
        }
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
    fn refused(&self, errno: Errno) -> Attempt {
        match errno {
            Errno(libc::EAGAIN | libc::EINTR) => Left,
            Errno(libc::EOPNOTSUPP) => {
                fd_cache::learn_waits(self.fd, self.file);
                Left
            }
            // It is no longer what it was.
            Errno(libc::ESPIPE | libc::EBADF) => {
                fd_cache::forget(self.fd);
                Left
            }
            _ => Done(errno.negated()),
        }
    }

    /// Writes to a regular file or block device.
    #[inline]
    pub fn write(&self) -> Attempt {
        const WAITS: c_int = rwf::SYNC | rwf::DSYNC | rwf::ATOMIC;
        let file = self.file;
        if file.in_memory() || (self.flags & rwf::NOWAIT != 0 && !file.is_direct()) {
            return Done(result(self.write_at(self.offset, self.flags)));
        }
        if file.is_direct() || file.syncs() || !file.is_local() || self.flags & WAITS != 0 {
            return Left;
        }
        match self.write_at(self.offset, self.flags) {
            Err(Errno(libc::ESPIPE | libc::EBADF)) => {
                fd_cache::forget(self.fd);
                Left
            }
            answer => Done(result(answer)),
        }
    }

    /// Reads from a stream what is there.
    pub fn receive(&self) -> Attempt {
        match self.without_waiting(|offset, flags| self.read_at(self.vectors, offset, flags)) {
            Err(Errno(libc::EAGAIN)) if self.may_refuse() => Done(Errno(libc::EAGAIN).negated()),
            Err(Errno(libc::EAGAIN | libc::EINTR | libc::EOPNOTSUPP)) => Left,
            answer => Done(result(answer)),
        }
    }

    /// Writes to a stream what it takes.
    pub fn send(&self) -> Attempt {
        match self.without_waiting(|offset, flags| self.write_at(offset, flags)) {
            Err(Errno(libc::EAGAIN)) if self.may_refuse() => Done(Errno(libc::EAGAIN).negated()),
            Err(Errno(libc::EAGAIN | libc::EINTR | libc::EOPNOTSUPP)) => Left,
            Ok(count) if count < self.total && !self.may_refuse() => Partly(count),
            answer => Done(result(answer)),
        }
    }

    /// Whether `EAGAIN` is an answer for the program.
    const fn may_refuse(&self) -> bool {
        self.file.is_nonblocking() || self.flags & rwf::NOWAIT != 0
    }

    fn without_waiting(&self, call: impl Fn(i64, c_int) -> Result<usize, Errno>) -> Result<usize, Errno> {
        let flags = if self.file.is_nonblocking() { self.flags } else { self.flags | rwf::NOWAIT };
        // A character device may have positions; what has none says so, and goes on where it is. A socket refuses any
        // position but 0 (`sock_read_iter` of net/socket.c), a pipe does not look at it.
        match call(self.offset, flags) {
            Err(Errno(libc::ESPIPE)) if self.offset == 0 || !is_socket(self.fd) => call(-1, flags),
            answer => answer,
        }
    }
}

fn is_socket(fd: c_int) -> bool {
    let (mut kind, mut length): (c_int, libc::socklen_t) = (0, size_of::<c_int>() as libc::socklen_t);
    let (kind, length) = (&raw mut kind, &raw mut length);
    // SAFETY: writes the two.
    unsafe { syscall!(libc::SYS_getsockopt, fd, libc::SOL_SOCKET, libc::SO_TYPE, kind, length) }.is_ok()
}

/// What is true of `events` at this moment.
pub fn poll(fd: c_int, events: u16) -> Attempt {
    let mut poll = libc::pollfd { fd, events: events as i16, revents: 0 };
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes into the structure; the mask is absent.
    let asked = unsafe { syscall!(libc::SYS_ppoll, &raw mut poll, 1, &raw const now, 0, 8) };
    match asked {
        Ok(1) if poll.revents & libc::POLLNVAL == 0 => Done(i64::from(poll.revents as u16)),
        _ => Left,
    }
}

/// Adds one to the count of an eventfd, which never waits: a count at its limit stays there.
pub fn signal(fd: c_int, file: FdInfo) {
    if !file.is_nonblocking() && poll(fd, libc::POLLOUT as u16) == Left {
        return;
    }
    let one: u64 = 1;
    // SAFETY: writes from a live word.
    let _ = unsafe { syscall!(libc::SYS_write, fd, &raw const one, size_of::<u64>()) };
}
