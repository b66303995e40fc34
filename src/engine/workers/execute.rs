//! The system calls that carry an operation out.
//!
//! An answer of the file's is passed on as it is, after one call: also `EAGAIN`, `EINTR` or `EIO` of a file server's.

use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::{ptr, slice};

use super::job::{Job, Task};
use super::nature::Nature;
use crate::engine::operation::{Kind, MAX_RW_BYTES};
use crate::host::file_info;
use crate::host::kernel::{self, Errno, syscall, value_or_negated};
use crate::host::positional_io::{self, NO_OFFSET};
use crate::host::scheduling::IOPRIO_WHO_PROCESS;
use crate::host::socket_options;

/// How an attempt to move bytes of a stream without waiting went.
pub enum Attempt {
    /// The file's answer.
    Answered(i64),
    /// It would have to wait for one of these events.
    MustWait(u32),
    /// It is ready, but cannot be asked not to wait: another reader or writer may be faster.
    MayBlock,
}

/// Attempts that may find nothing although the file was ready, before it is one that is not asked any more.
const MAX_VAIN_ATTEMPTS: u8 = 32;

/// Carries the operation out, however long it takes.
pub fn blocking(task: &Task) -> i64 {
    if task.priority == 0 {
        return blocking_as_is(task);
    }
    // The kernel takes the priority of the thread.
    set_priority(task.priority);
    let result = blocking_as_is(task);
    set_priority(0);
    result
}

fn blocking_as_is(task: &Task) -> i64 {
    let sync = |number| {
        // SAFETY: takes a descriptor.
        value_or_negated(unsafe { syscall!(number, task.fd) })
    };
    match task.kind {
        Kind::Sync => sync(libc::SYS_fsync),
        Kind::DataSync => sync(libc::SYS_fdatasync),
        Kind::Poll | Kind::Nop => 0,
        _ if task.nature == Nature::Socket => value_or_negated(exchange(task, 0)),
        _ => value_or_negated(transfer(task, task.rw_flags)),
    }
}

fn set_priority(priority: u16) {
    // SAFETY: sets the calling thread's priority. Refused priorities are left as they are: faces check them.
    let _ = unsafe { syscall!(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, priority) };
}

/// Tries to move bytes of a stream without waiting.
pub fn attempt(task: &Task, job: &Job) -> Attempt {
    // An answer without waiting was asked for, by the file's flags or the operation's: it is the answer.
    if task.nonblocking || task.rw_flags & libc::RWF_NOWAIT != 0 {
        return Attempt::Answered(value_or_negated(transfer(task, task.rw_flags)));
    }
    let events = if task.writes() { libc::POLLOUT } else { libc::POLLIN } as u32;
    let tried = match task.nature {
        Nature::Socket => exchange(task, libc::MSG_DONTWAIT).map_err(|errno| broken_while_waiting(task, job, errno)),
        // As `read` and `write`: the file is asked, and a pipe does not wait.
        Nature::Stream | Nature::Device if task.is_empty() => return Attempt::MayBlock,
        // Only a terminal's poll is known to say of each device whether a call would wait: usbdev_poll (drivers/usb/core/devio.c)
        // never says that there is something to be read, /dev/kmsg that there is room, and a read that is too short for an event
        // of /dev/rtc or /dev/input is refused at once.
        Nature::Device if !is_terminal(task.fd) => return Attempt::MayBlock,
        // Refused at once, whatever there is to be read.
        Nature::Device if !task.writes() && is_in_background(task.fd) => return Attempt::MayBlock,
        // A terminal is not asked: it is read and written when its poll says so.
        Nature::Device => Err(Errno(libc::EOPNOTSUPP)),
        _ if job.vain_attempts.get() >= MAX_VAIN_ATTEMPTS => Err(Errno(libc::EOPNOTSUPP)),
        _ => transfer(task, task.rw_flags | libc::RWF_NOWAIT),
    };
    match tried {
        // A call that waits ends with nothing there, one that is not to wait goes on saying so.
        Err(Errno(libc::EAGAIN)) if job.vain_attempts.get() > 0 && is_shut_down(task) => Attempt::MayBlock,
        Err(Errno(libc::EAGAIN)) => {
            // Another may have been faster each time it was ready; or it is a file that never does without waiting.
            job.vain_attempts.set(job.vain_attempts.get().saturating_add(1));
            Attempt::MustWait(events)
        }
        Err(Errno(libc::EOPNOTSUPP | libc::ENOSYS)) if task.nature != Nature::Socket => {
            job.vain_attempts.set(MAX_VAIN_ATTEMPTS);
            match kernel::ready(task.fd, events) {
                Ok(0) if !job.is_registered.get() && has_no_writer(task) => Attempt::MayBlock,
                Ok(0) if !is_refused(task) => Attempt::MustWait(events),
                _ => Attempt::MayBlock,
            }
        }
        answer => Attempt::Answered(value_or_negated(answer)),
    }
}

/// Whether a call of `write` in place of this one, which has this result, would have raised `SIGPIPE`: of a pipe whenever nobody
/// reads (`pipe_write` of fs/pipe.c), of a socket that is a stream if nothing was moved (`sk_stream_error` of net/core/stream.c).
pub fn raises_sigpipe(task: &Task, has_moved: bool, result: i64) -> bool {
    if !task.writes() {
        return false;
    }
    let is_refused = result == Errno(libc::EPIPE).negated();
    match task.nature {
        Nature::Socket => is_refused && !has_moved && socket_options::is_stream(task.fd),
        Nature::Stream => is_refused || (result > 0 && is_short(task, result) && has_no_reader(task.fd)),
        Nature::Device | Nature::File => false,
    }
}

fn is_short(task: &Task, moved: i64) -> bool {
    let mut single = NOTHING;
    let total = vectors(task, &mut single).iter().fold(0usize, |total, vector| total.saturating_add(vector.iov_len));
    (moved as usize) < total
}

fn has_no_reader(fd: c_int) -> bool {
    kernel::ready(fd, 0).is_ok_and(|seen| seen & libc::POLLERR as u32 != 0)
}

/// Whether it is a read of a FIFO that nobody has open for writing: it gives the end, which a poll does not tell of one that
/// nobody has written to since it was opened (`fifo_open` and `pipe_poll` of fs/pipe.c). When writers have come, a poll tells.
fn has_no_writer(task: &Task) -> bool {
    if task.nature != Nature::Stream || task.writes() {
        return false;
    }
    let mut ends: [c_int; 2] = [-1; 2];
    // SAFETY: fills the array, or fails.
    if unsafe { syscall!(libc::SYS_pipe2, ends.as_mut_ptr(), libc::O_CLOEXEC) }.is_err() {
        return false;
    }
    // A copy, which takes nothing out.
    // SAFETY: takes descriptors and numbers.
    let copied = unsafe { syscall!(libc::SYS_tee, task.fd, ends[1], 1, libc::SPLICE_F_NONBLOCK) };
    for end in ends {
        kernel::close(end);
    }
    copied == Ok(0)
}

/// A write that waits for room learns first why the connection has broken, and one that comes later, that it has
/// (`sock_alloc_send_pskb` of net/core/sock.c, `unix_stream_sendmsg` of net/unix/af_unix.c).
fn broken_while_waiting(task: &Task, job: &Job, errno: Errno) -> Errno {
    if errno != Errno(libc::EPIPE) || job.vain_attempts.get() == 0 {
        return errno;
    }
    match socket_options::take_error(task.fd) {
        0 => errno,
        why => Errno(why),
    }
}

/// Whether it is a read of a socket that gets nothing more: of datagrams that only a call which waits finds out
/// (`__skb_wait_for_more_packets` of net/core/datagram.c).
fn is_shut_down(task: &Task) -> bool {
    let seen = || kernel::ready(task.fd, libc::POLLRDHUP as u32);
    task.nature == Nature::Socket && !task.writes() && seen().is_ok_and(|seen| seen & libc::POLLRDHUP as u32 != 0)
}

/// Whether the file was not opened for it: a poll says the same as if it had been.
fn is_refused(task: &Task) -> bool {
    let other_way = if task.writes() { libc::O_RDONLY } else { libc::O_WRONLY };
    file_info::flags(task.fd).is_ok_and(|flags| flags & libc::O_ACCMODE == other_way)
}

/// Whether what it waits for may come without an event: a write to a Unix socket fails once that is shut down.
pub fn may_end_unheard(task: &Task) -> bool {
    task.nature == Nature::Socket && task.writes() && socket_options::is_local(task.fd)
}

/// What a read of a terminal has found that had to wait, and was made anew then: nothing, if the terminal's other end has gone,
/// where one that still waits has EIO (`n_tty_read` of drivers/tty/n_tty.c, `hung_up_tty_read` of drivers/tty/tty_io.c).
pub fn after_wait(task: &Task, result: i64) -> i64 {
    const HUNG_UP: u32 = (libc::POLLERR | libc::POLLHUP) as u32;
    /// `UNIX98_PTY_SLAVE_MAJOR` of linux/major.h, and its other numbers.
    const PTY_MAJORS: core::ops::RangeInclusive<u32> = 136..=143;
    let is_read = result == 0 && task.nature == Nature::Device && !task.writes() && !task.is_empty();
    let is_hung_up = || kernel::ready(task.fd, 0).is_ok_and(|seen| seen & HUNG_UP == HUNG_UP);
    let is_pty = || file_info::device_number(task.fd).is_ok_and(|device| PTY_MAJORS.contains(&libc::major(device)));
    if is_read && is_hung_up() && is_pty() { Errno(libc::EIO).negated() } else { result }
}

/// Whether the options of the file say more about waiting than that it is ready: a timeout, or how much has to be
/// there. Then a plain call does what they say, as long as it may take.
pub fn has_waiting_options(task: &Task) -> bool {
    match task.nature {
        Nature::Socket if task.writes() => socket_options::has_timeout(task.fd, libc::SO_SNDTIMEO),
        Nature::Socket => {
            socket_options::has_timeout(task.fd, libc::SO_RCVTIMEO) || socket_options::low_water_bytes(task.fd) > 1
        }
        Nature::Device => !task.writes() && counts_or_times(task.fd),
        Nature::Stream | Nature::File => false,
    }
}

/// Whether it is a terminal that has VTIME, or a VMIN other than 1 (termios(3)).
fn counts_or_times(fd: c_int) -> bool {
    terminal_modes(fd).is_some_and(|modes| {
        let is_canonical = modes.local & libc::ICANON != 0;
        !is_canonical && (modes.characters[libc::VMIN], modes.characters[libc::VTIME]) != (1, 0)
    })
}

/// Whether it is a terminal.
fn is_terminal(fd: c_int) -> bool {
    terminal_modes(fd).is_some()
}

/// Whether it is the process's controlling terminal, and another process group has it: a read fails then, of a thread that blocks
/// SIGTTIN (termios(3), job control). Not the other end of a terminal, which tells its process group to everyone.
fn is_in_background(fd: c_int) -> bool {
    let number_of = |request| {
        let mut number: c_int = 0;
        // SAFETY: fills the number, or fails.
        unsafe { syscall!(libc::SYS_ioctl, fd, request, &raw mut number) }.map(|_| number)
    };
    // SAFETY: takes a number.
    let own = || unsafe { syscall!(libc::SYS_getpgid, 0) };
    number_of(libc::TIOCGPGRP).is_ok_and(|group| own() != Ok(group as usize)) && number_of(libc::TIOCGPTN).is_err()
}

/// `struct termios` of the kernel's.
#[repr(C)]
struct Modes {
    input: u32,
    output: u32,
    control: u32,
    local: u32,
    line: u8,
    characters: [u8; 19],
}

/// The modes of a terminal; none of what is no terminal.
fn terminal_modes(fd: c_int) -> Option<Modes> {
    let mut modes = MaybeUninit::<Modes>::uninit();
    // SAFETY: fills the structure, or fails where it is no terminal.
    unsafe {
        syscall!(libc::SYS_ioctl, fd, libc::TCGETS, modes.as_mut_ptr()).ok()?;
        Some(modes.assume_init())
    }
}

impl Task {
    /// Whether there is not one byte to be moved.
    fn is_empty(&self) -> bool {
        let mut single = NOTHING;
        vectors(self, &mut single).iter().all(|vector| vector.iov_len == 0)
    }
}

/// The program's buffers as an array: the face's, or the one buffer that `single` has room for.
fn vectors<'a>(task: &'a Task, single: &'a mut libc::iovec) -> &'a [libc::iovec] {
    if task.kind.has_vector() {
        if task.length == 0 {
            return &[];
        }
        // SAFETY: the face's copy of the array, which stays until the operation is finished.
        return unsafe { slice::from_raw_parts(ptr::with_exposed_provenance(task.address), task.length) };
    }
    let length = task.length.min(MAX_RW_BYTES);
    *single = libc::iovec { iov_base: ptr::with_exposed_provenance_mut(task.address), iov_len: length };
    slice::from_ref(single)
}

const NOTHING: libc::iovec = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };

/// A call of `read`, `write` or their kin.
fn transfer(task: &Task, flags: c_int) -> Result<usize, Errno> {
    let (writes, fd, mut single) = (task.writes(), task.fd, NOTHING);
    let vectors = vectors(task, &mut single);
    match task.nature {
        Nature::Stream | Nature::Device | Nature::Socket if task.is_empty() => {
            let number = if writes { libc::SYS_write } else { libc::SYS_read };
            // `preadv2` and `pwritev2` of nothing do not ask the file.
            // SAFETY: no buffer is needed.
            unsafe { syscall!(number, fd, 0, 0) }
        }
        Nature::Stream | Nature::Socket => positional_io::transfer(writes, fd, vectors, NO_OFFSET, flags),
        // Files of /proc, among others, have no positions.
        Nature::File | Nature::Device => positional_io::transfer_anywhere(writes, fd, vectors, task.offset, flags),
    }
}

/// `sendmsg` or `recvmsg`, which every socket can be asked not to wait in.
fn exchange(task: &Task, flags: c_int) -> Result<usize, Errno> {
    let mut single = NOTHING;
    let vectors = vectors(task, &mut single);
    if !task.writes() && task.is_empty() {
        // As `read(2)`: nothing is asked for. A message would be taken.
        return Ok(0);
    }
    // SAFETY: a structure of numbers and null pointers.
    let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
    message.msg_iov = vectors.as_ptr().cast_mut();
    message.msg_iovlen = vectors.len() as _;
    // No other flag than `read` and `write` set (`sock_write_iter` of net/socket.c): protocols refuse those that they do not know.
    // A SIGPIPE stays with the thread, which blocks it.
    let number = if task.writes() { libc::SYS_sendmsg } else { libc::SYS_recvmsg };
    let flags = if task.writes() && socket_options::keeps_records(task.fd) { flags | libc::MSG_EOR } else { flags };
    // SAFETY: the message is read, and the buffers are the program's, or the kernel answers EFAULT.
    unsafe { syscall!(number, task.fd, &raw mut message, flags) }
}
