//! The system calls that carry an operation out.

use core::cell::Cell;
use core::ffi::c_int;
use core::ptr;

use super::file_table::Nature;
use super::job::{Task, WILLING};
use crate::engine::operation::Kind;
use crate::host::kernel::{self, Errno, syscall};

/// How an attempt went.
pub enum Answer {
    /// The operation's result.
    Done(i64),
    /// It would have to wait for one of these events.
    Wait(u32),
    /// Nobody can tell whether it would have to wait.
    Unknown,
}

/// What a pipe that has room for anything has room for, at once and whole: `PIPE_BUF`.
const WHOLE: usize = 4096;

/// Vectors that are looked at when a write has to be cut to size.
const VECTORS: usize = 16;

/// "The file's own position": what `read` and `write` use, and streams do not have.
const NO_OFFSET: i64 = -1;

const IOPRIO_WHO_PROCESS: c_int = 1;

/// Carries the operation out, however long it takes.
pub fn blocking(task: &Task) -> i64 {
    if task.priority != 0 {
        // The kernel takes the priority of the thread.
        set_priority(task.priority);
        let result = unhurried(task);
        set_priority(0);
        return result;
    }
    unhurried(task)
}

fn unhurried(task: &Task) -> i64 {
    let fd = task.fd;
    let sync = |number| {
        // SAFETY: takes a descriptor.
        value(unsafe { syscall!(number, fd) })
    };
    match task.kind {
        Kind::Sync => sync(libc::SYS_fsync),
        Kind::DataSync => sync(libc::SYS_fdatasync),
        Kind::Poll => 0,
        // See [`Task::closing`].
        Kind::Nop => {
            kernel::close(fd);
            0
        }
        _ => value(transfer(task, &Vectors::of(task), task.rw_flags)),
    }
}

fn set_priority(priority: u16) {
    // SAFETY: sets the calling thread's priority. Refused priorities are left as they are: faces check them.
    let _ = unsafe { syscall!(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, priority) };
}

/// Tries to move bytes of a stream without waiting.
pub fn attempt(task: &Task, attempts: &Cell<u8>) -> Answer {
    let writes = matches!(task.kind, Kind::Write | Kind::WriteVector);
    let events = if writes { libc::POLLOUT } else { libc::POLLIN } as u32;
    let vectors = Vectors::of(task);
    // An answer without waiting was asked for, by the file's flags or the operation's: it is the answer.
    let final_answer = task.nonblocking || task.rw_flags & libc::RWF_NOWAIT != 0;
    if final_answer {
        return Answer::Done(value(transfer(task, &vectors, task.rw_flags)));
    }
    let tried = match task.nature {
        Nature::Socket => exchange(task.fd, &vectors, writes),
        _ if attempts.get() >= WILLING => Err(Errno(libc::EOPNOTSUPP)),
        _ => transfer(task, &vectors, task.rw_flags | libc::RWF_NOWAIT),
    };
    match tried {
        Err(Errno(libc::EAGAIN)) => {
            // Another may have been faster each time it was ready; or it is a file that never does without waiting.
            attempts.set(attempts.get().saturating_add(1));
            Answer::Wait(events)
        }
        Err(Errno(libc::EOPNOTSUPP | libc::ENOSYS)) if task.nature != Nature::Socket => {
            // The file cannot be asked not to wait. Where it says it is ready, what it is ready for does not wait.
            attempts.set(WILLING);
            match ready(task.fd, events) {
                Ok(true) => {
                    let cut = if writes { vectors.cut(WHOLE) } else { vectors };
                    Answer::Done(value(transfer(task, &cut, task.rw_flags)))
                }
                Ok(false) => Answer::Wait(events),
                Err(_) => Answer::Unknown,
            }
        }
        answer => Answer::Done(value(answer)),
    }
}

/// Whether one of `events`, or an error, is true of the file now.
///
/// # Errors
/// What the kernel answers instead.
pub fn ready(fd: c_int, events: u32) -> Result<bool, Errno> {
    let mut asked = libc::pollfd { fd, events: events as i16, revents: 0 };
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: reads and writes one structure, and reads the time.
    let found = unsafe { syscall!(libc::SYS_ppoll, &raw mut asked, 1, &raw const now, 0, 0) };
    found.map(|files| files != 0)
}

/// The program's buffers: an array of the face's, or one of ours.
struct Vectors {
    there: Option<(usize, usize)>,
    here: [libc::iovec; VECTORS],
    count: usize,
}

impl Vectors {
    const NONE: Self =
        Self { there: None, here: [libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; VECTORS], count: 0 };

    fn of(task: &Task) -> Self {
        let mut all = Self::NONE;
        if matches!(task.kind, Kind::ReadVector | Kind::WriteVector) {
            all.there = Some((task.address, task.length));
        } else {
            all.here[0] =
                libc::iovec { iov_base: ptr::with_exposed_provenance_mut(task.address), iov_len: task.length };
            all.count = 1;
        }
        all
    }

    fn parts(&self) -> (*const libc::iovec, usize) {
        match self.there {
            Some((address, count)) => (ptr::with_exposed_provenance(address), count),
            None => (self.here.as_ptr(), self.count),
        }
    }

    /// The only one, if it is.
    const fn single(&self) -> Option<libc::iovec> {
        if self.there.is_none() && self.count == 1 { Some(self.here[0]) } else { None }
    }

    /// No more than `most` bytes of them.
    fn cut(&self, most: usize) -> Self {
        let (from, count) = self.parts();
        let (mut all, mut left) = (Self::NONE, most);
        while all.count < count.min(VECTORS) && left > 0 {
            // SAFETY: within the face's copy of the array, which stays until the operation is finished, or within ours.
            let vector = unsafe { *from.add(all.count) };
            let length = vector.iov_len.min(left);
            all.here[all.count] = libc::iovec { iov_base: vector.iov_base, iov_len: length };
            left -= length;
            all.count += 1;
        }
        all
    }
}

/// `preadv2` or `pwritev2`, or the older calls where there are no flags.
fn transfer(task: &Task, vectors: &Vectors, flags: c_int) -> Result<usize, Errno> {
    let writes = matches!(task.kind, Kind::Write | Kind::WriteVector);
    let (address, count) = vectors.parts();
    let number = if writes { libc::SYS_pwritev2 } else { libc::SYS_preadv2 };
    let at = |offset: i64| {
        if let (0, Some(vector), true) = (flags, vectors.single(), offset >= 0) {
            let number = if writes { libc::SYS_pwrite64 } else { libc::SYS_pread64 };
            // SAFETY: the buffer is the program's, or the kernel answers EFAULT.
            return unsafe { syscall!(number, task.fd, vector.iov_base, vector.iov_len, offset) };
        }
        // The offset is in one register; the next one is for its upper half on 32-bit machines alone.
        // SAFETY: as above, for each buffer.
        unsafe { syscall!(number, task.fd, address, count, offset, 0, flags) }
    };
    match task.nature {
        Nature::File => at(task.offset),
        Nature::Stream | Nature::Socket => at(NO_OFFSET),
        Nature::Device => match at(task.offset) {
            Err(Errno(libc::ESPIPE)) => at(NO_OFFSET),
            answer => answer,
        },
    }
}

/// `sendmsg` or `recvmsg`, which every socket can be asked not to wait in.
fn exchange(fd: c_int, vectors: &Vectors, writes: bool) -> Result<usize, Errno> {
    let (address, count) = vectors.parts();
    // SAFETY: a structure of numbers and null pointers.
    let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
    message.msg_iov = address.cast_mut();
    message.msg_iovlen = count as _;
    let number = if writes { libc::SYS_sendmsg } else { libc::SYS_recvmsg };
    // SAFETY: the message is read, and the buffers are the program's, or the kernel answers EFAULT.
    unsafe { syscall!(number, fd, &raw mut message, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) }
}

fn value(answer: Result<usize, Errno>) -> i64 {
    match answer {
        Ok(count) => count as i64,
        Err(errno) => errno.negated(),
    }
}
