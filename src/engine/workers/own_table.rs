//! The workers' own descriptor table: how they leave the program's, and how files come across.
//!
//! `close_range(2)` with `CLOSE_RANGE_UNSHARE` makes the table, and copies the program's first descriptors into it
//! whatever is asked for (`NR_OPEN_DEFAULT`, 64). They are closed, but for those of files that a server keeps: to close
//! one of these asks the server to flush it, and waits for the answer. The reactor keeps them until the program closes
//! its own, or has a worker close them.

use core::ffi::{c_int, c_void};

use super::file_limit;
use crate::host::fd_broker::FdBroker;
use crate::host::file_info::{self, Backing};
use crate::host::kernel::{self, Errno, syscall};
use crate::host::raw_thread::Table;
use crate::host::seccomp::{self, Answer, Call};
use crate::host::valgrind;

/// Descriptors that a new table has at the least (`NR_OPEN_DEFAULT`, one for each bit of a word).
const COPIED: c_int = 64;

/// `PIDFD_THREAD` of `pidfd_open(2)` (6.9): names a thread, not a process.
const PIDFD_THREAD: c_int = libc::O_EXCL;

/// Descriptors that the kernel makes room for at once: a table grows by waiting for all processors, as soon as two
/// threads share it.
const ROOM_AT_FIRST: u64 = 1024;

/// The way from the program's table to the one of the thread that made this.
pub struct OwnTable {
    broker: &'static FdBroker,
    /// A name of the program's table, for `pidfd_getfd`.
    table: Option<c_int>,
    /// Where the broker sends files to.
    socket: Option<c_int>,
    /// Whether `kcmp` may be called.
    pub can_compare: bool,
    /// Files of servers that were copied, by their numbers, with their [identities](file_info::FileInfo::identity).
    pub copies: Vec<(c_int, u64)>,
}

impl OwnTable {
    /// Leaves the program's descriptor table: from here on the calling thread, and those that it starts, have one of
    /// their own.
    ///
    /// # Errors
    /// Why that cannot be done; what was done is undone as far as possible.
    pub fn leave(broker: &'static FdBroker) -> Result<Self, &'static str> {
        let permitted = Permitted::find_out();
        let allowed = permitted.getfd && getfd(-1, 0) == Err(Errno(libc::EBADF));
        // A thread's name lasts even where the program's first thread, which a process's name means, has ended. Told
        // apart by asking for a thread that cannot be.
        let lasting = allowed && open_pidfd(c_int::MAX, PIDFD_THREAD) == Err(Errno(libc::ESRCH));
        let socket = if lasting { None } else { broker.open_socket().ok() };
        if !allowed && socket.is_none() {
            return Err("files can be passed neither by pidfd_getfd nor by a socket");
        }
        // Valgrind closes such a range itself, in the table that the program has.
        let copies = separate(socket, permitted.close_range && !valgrind::is_present());
        if let (Some(mut end), true) = (socket, copies.is_ok()) {
            // The program's table has it still.
            // SAFETY: the number outlives the task.
            unsafe { broker.ask(close_there, (&raw mut end).cast()) };
        }
        let copies = copies?;
        let table = match (allowed, lasting) {
            (false, _) => Err(Errno(libc::EPERM)),
            (true, true) => open_pidfd(broker.thread(), PIDFD_THREAD),
            (true, false) => open_pidfd(kernel::process_id(), 0),
        };
        let Some(any) = table.ok().or(socket) else { return Err("the process cannot be named") };
        make_room(any);
        Ok(Self { broker, table: table.ok(), socket, can_compare: permitted.kcmp, copies })
    }

    /// A new descriptor of the file behind the program's `fd`.
    ///
    /// # Errors
    /// `EBADF`; `EMFILE`; what the kernel answers.
    pub fn fetch(&self, fd: c_int) -> Result<c_int, Errno> {
        let mut answer = Err(Errno(libc::EBADF));
        if let Some(table) = self.table {
            answer = getfd(table, fd);
        }
        // EBADF may as well mean that the program's first thread, whose name we have, has ended.
        match (answer, self.socket) {
            (Err(errno), Some(socket)) if errno != Errno(libc::EMFILE) => self.broker.fetch(fd, socket),
            _ => answer,
        }
    }

    /// A thread that has the program's table.
    pub fn other_thread(&self) -> c_int {
        self.broker.thread()
    }
}

impl Drop for OwnTable {
    fn drop(&mut self) {
        [self.table, self.socket].into_iter().flatten().for_each(kernel::close);
    }
}

fn open_pidfd(of: c_int, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: makes a descriptor.
    unsafe { syscall!(libc::SYS_pidfd_open, of, flags) }.map(|fd| fd as c_int)
}

fn getfd(table: c_int, fd: c_int) -> Result<c_int, Errno> {
    // SAFETY: makes a descriptor.
    unsafe { syscall!(libc::SYS_pidfd_getfd, table, fd, 0) }.map(|fd| fd as c_int)
}

/// Closes a descriptor of the program's table: runs on the broker's thread.
unsafe fn close_there(fd: *mut c_void) {
    // SAFETY: a number of the caller's.
    kernel::close(unsafe { *fd.cast::<c_int>() });
}

/// Which calls a seccomp filter permits that a program hardly makes itself.
#[derive(Clone, Copy)]
struct Permitted {
    close_range: bool,
    getfd: bool,
    kcmp: bool,
}

impl Permitted {
    /// Tries them where they can do no harm, if a filter is active: it may end the process.
    fn find_out() -> Self {
        let calls = [
            Call { number: libc::SYS_close_range, arguments: [1, 0] },
            Call { number: libc::SYS_pidfd_open, arguments: [0, 0] },
            Call { number: libc::SYS_pidfd_getfd, arguments: [usize::MAX, 0] },
            Call { number: libc::SYS_kcmp, arguments: [0, 0] },
        ];
        let permitted = if seccomp::is_active() {
            // SAFETY: a range that ends before it begins, and processes that cannot be: the kernel refuses them all.
            match unsafe { seccomp::try_in_child(&calls) } {
                Ok(Answer::All(_)) => calls.len(),
                Ok(Answer::Ended(place)) => place,
                Err(_) => 0,
            }
        } else {
            calls.len()
        };
        Self { close_range: permitted > 0, getfd: permitted > 2, kcmp: permitted > 3 }
    }
}

/// Gives the calling thread a table of its own. What is left in it, beside `socket`.
fn separate(socket: Option<c_int>, by_range: bool) -> Result<Vec<(c_int, u64)>, &'static str> {
    let mut last = COPIED - 1;
    // SAFETY: gives this thread a copy of the table up to there.
    let made =
        by_range && unsafe { syscall!(libc::SYS_close_range, COPIED, u32::MAX, libc::CLOSE_RANGE_UNSHARE).is_ok() };
    // A socket above them is not copied.
    let made = made && socket.is_none_or(|socket| socket < COPIED);
    if !made {
        // SAFETY: gives this thread a copy of its table.
        if unsafe { syscall!(libc::SYS_unshare, libc::CLONE_FILES) }.is_err() {
            return Err("no descriptor table of its own can be made");
        }
        last = file_limit::hard() as c_int - 1;
    }
    let mut copies = Vec::new();
    for fd in (0..=last).filter(|&fd| Some(fd) != socket) {
        match remote_identity(fd) {
            Some(identity) if copies.try_reserve(1).is_ok() => copies.push((fd, identity)),
            _ => kernel::close(fd),
        }
    }
    Ok(copies)
}

/// The identity of a file that a server keeps.
fn remote_identity(fd: c_int) -> Option<u64> {
    let info = file_info::info_with_flags(fd, 0).ok()?;
    let is_remote = info.kind == file_info::Kind::Regular
        && file_info::backing(fd, &info, kernel::now(), Table::Own) == Backing::Remote;
    is_remote.then_some(info.identity)
}

/// Has the kernel make room in the table of this thread, which no other shares yet.
fn make_room(any: c_int) {
    let highest = file_limit::soft().min(ROOM_AT_FIRST).saturating_sub(1);
    // SAFETY: makes a descriptor, and closes it.
    if let Ok(high) = unsafe { syscall!(libc::SYS_fcntl, any, libc::F_DUPFD_CLOEXEC, highest) } {
        kernel::close(high as c_int);
    }
}
