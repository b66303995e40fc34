//! The workers' files: a descriptor table of their own, where the file of each outstanding request is held, whatever
//! becomes of the program's number for it.
//!
//! The table is not the program's, so nothing in it can be seen, counted or closed by the program, and closing a number in
//! it does not drop the program's POSIX locks: those belong to the table (fcntl(2), `locks_remove_posix`).
//!
//! Requests on one file share a descriptor. The reactor alone adds holders; a worker that is done with a request takes its
//! hold off and, if that was the last, closes the file before it reports the request as done ([`Holders`]).

use core::ffi::{c_int, c_void};
use std::collections::HashMap;

use super::file_limit;
use super::holders::Holders;
use super::nature::Nature;
use crate::engine::device::Name;
use crate::host::fd_broker::FdBroker;
use crate::host::kernel::{self, Errno, syscall};

/// `CLOSE_RANGE_UNSHARE` of `close_range(2)`.
const CLOSE_RANGE_UNSHARE: u32 = 1 << 1;

/// `PIDFD_THREAD` of `pidfd_open(2)` (6.9): names a thread, not a process.
const PIDFD_THREAD: c_int = libc::O_EXCL;

/// Descriptors that the kernel makes room for at once: a table grows by waiting for all processors, as soon as two threads
/// share it.
const ROOM_AT_FIRST: u64 = 1024;

/// Descriptors kept for requests that end by themselves, and for those that must be let in to see whether they can end.
const RESERVE: usize = 64;

/// The program's descriptor, at one time of its life, as several requests name it.
type FullName = (c_int, Name);

struct Held {
    life: u32,
    nature: Nature,
    name: Option<FullName>,
}

/// A descriptor that nothing holds any more, to be closed by a worker.
#[derive(Clone, Copy, Debug)]
pub struct Unheld {
    pub fd: c_int,
    pub life: u32,
}

/// How files come across, and which there are. The reactor's.
pub struct FileTable {
    broker: &'static FdBroker,
    /// A name of the program's table, for `pidfd_getfd`.
    table: Option<c_int>,
    /// Where the broker sends files to.
    socket: Option<c_int>,
    holders: &'static Holders,
    /// By descriptor of ours.
    held: Vec<Option<Held>>,
    names: HashMap<FullName, c_int>,
    open: usize,
    lives: u32,
    /// How many descriptors the table may have.
    limit: usize,
}

impl FileTable {
    /// Leaves the program's descriptor table: from here on the calling thread, and those that it starts, have one of their
    /// own, with nothing in it.
    ///
    /// # Errors
    /// Why that cannot be done; what was done is undone as far as possible.
    pub fn leave(broker: &'static FdBroker, holders: &'static Holders) -> Result<Self, &'static str> {
        let allowed = getfd(-1, 0) == Err(Errno(libc::EBADF));
        // A thread's name lasts even where the program's first thread, which a process's name means, has ended. Told apart by
        // asking for a thread that cannot be.
        let lasting = allowed && open_pidfd(c_int::MAX, PIDFD_THREAD) == Err(Errno(libc::ESRCH));
        let socket = if lasting { None } else { broker.open_socket().ok() };
        if !allowed && socket.is_none() {
            return Err("files can be passed neither by pidfd_getfd nor by a socket");
        }
        let left = separate(socket);
        if let (Some(mut end), true) = (socket, left.is_ok()) {
            // The program's table has it still.
            // SAFETY: the number outlives the task.
            unsafe { broker.ask(close_there, (&raw mut end).cast()) };
        }
        left?;
        let table = match (allowed, lasting) {
            (false, _) => Err(Errno(libc::EPERM)),
            (true, true) => open_pidfd(broker.thread(), PIDFD_THREAD),
            (true, false) => open_pidfd(kernel::process_id(), 0),
        };
        let Some(any) = table.ok().or(socket) else { return Err("the process cannot be named") };
        make_room(any);
        Ok(Self {
            broker,
            table: table.ok(),
            socket,
            holders,
            held: Vec::new(),
            names: HashMap::new(),
            open: 0,
            lives: 0,
            limit: file_limit::hard(),
        })
    }

    /// How many files are open.
    pub const fn open(&self) -> usize {
        self.open
    }

    /// Whether there is room for a file that may be held for ever.
    pub fn has_room(&self) -> bool {
        self.open + RESERVE.min(self.limit / 4) < self.limit
    }

    /// Holds the program's `fd`. With a name, together with all who hold it by the same name.
    ///
    /// # Errors
    /// `EBADF`; `EMFILE`.
    pub fn hold(&mut self, fd: c_int, name: Option<Name>) -> Result<c_int, Errno> {
        let name = name.map(|name| (fd, name));
        if let Some(&known) = name.and_then(|name| self.names.get(&name))
            && self.holders.retain(known)
        {
            return Ok(known);
        }
        let ours = file_limit::raised_if_full(|| self.fetch(fd))?;
        self.insert(ours, Nature::of(ours), name)
    }

    fn insert(&mut self, ours: c_int, nature: Nature, name: Option<FullName>) -> Result<c_int, Errno> {
        let index = ours as usize;
        if self.held.len() <= index {
            if self.held.try_reserve(index + 1 - self.held.len()).is_err() {
                kernel::close(ours);
                return Err(Errno(libc::ENOMEM));
            }
            self.held.resize_with(index + 1, || None);
        }
        // A worker has closed what had this number, and has not said so yet.
        self.forget(ours);
        self.holders.begin(ours).inspect_err(|_| kernel::close(ours))?;
        let name = name.filter(|_| self.names.try_reserve(1).is_ok());
        if let Some(name) = name {
            self.names.insert(name, ours);
        }
        self.lives = self.lives.wrapping_add(1);
        self.held[index] = Some(Held { life: self.lives, nature, name });
        self.open += 1;
        Ok(ours)
    }

    /// Nothing finds the file of this number by its name any more.
    fn forget(&mut self, ours: c_int) {
        if let Some(name) = self.held.get_mut(ours as usize).and_then(Option::as_mut).and_then(|held| held.name.take())
            && self.names.get(&name) == Some(&ours)
        {
            self.names.remove(&name);
        }
    }

    /// Turns the caller's hold into that of a descriptor which nobody else holds or will hold, as the epoll needs. With the
    /// other one, if nothing holds that any more.
    ///
    /// # Errors
    /// `EMFILE`: the caller still has its hold.
    pub fn separate(&mut self, ours: c_int) -> Result<(c_int, Option<Unheld>), Errno> {
        if self.holders.is_alone(ours) {
            self.forget(ours);
            return Ok((ours, None));
        }
        // SAFETY: makes a descriptor.
        let copy = file_limit::raised_if_full(|| unsafe { syscall!(libc::SYS_fcntl, ours, libc::F_DUPFD_CLOEXEC, 0) })?;
        let copy = self.insert(copy as c_int, self.nature(ours), None)?;
        Ok((copy, self.release(ours)))
    }

    /// One hold of the reactor's fewer. What it was the last to hold, a worker has to close.
    pub fn release(&mut self, ours: c_int) -> Option<Unheld> {
        if !self.holders.release(ours) {
            return None;
        }
        self.forget(ours);
        Some(Unheld { fd: ours, life: self.life(ours) })
    }

    /// A worker has closed a file.
    pub fn closed(&mut self, closed: Unheld) {
        self.open -= 1;
        // Unless the number has another file by now.
        if self.life(closed.fd) == closed.life {
            self.forget(closed.fd);
            self.held[closed.fd as usize] = None;
        }
    }

    /// What kind of file a held one is.
    pub fn nature(&self, ours: c_int) -> Nature {
        self.held.get(ours as usize).and_then(Option::as_ref).map_or(Nature::File, |held| held.nature)
    }

    /// Which of the files that have had this number it is.
    pub fn life(&self, ours: c_int) -> u32 {
        self.held.get(ours as usize).and_then(Option::as_ref).map_or(0, |held| held.life)
    }

    fn fetch(&self, fd: c_int) -> Result<c_int, Errno> {
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
}

impl Drop for FileTable {
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

/// Gives the calling thread a table of its own with nothing but `keep`.
fn separate(keep: Option<c_int>) -> Result<(), &'static str> {
    // SAFETY: closes numbers in a table; with UNSHARE, in a new one of this thread alone.
    let close_range =
        |first: c_int, last: u32, flags: u32| unsafe { syscall!(libc::SYS_close_range, first, last, flags).is_ok() };
    let above = keep.map_or(0, |keep| keep + 1);
    // One call, which copies what is below the range alone: closing a copy has effects of its own on some file systems.
    if !close_range(above, u32::MAX, CLOSE_RANGE_UNSHARE) {
        // SAFETY: gives this thread a copy of its table.
        if unsafe { syscall!(libc::SYS_unshare, libc::CLONE_FILES) }.is_err() {
            return Err("no descriptor table of its own can be had");
        }
        if !close_range(above, u32::MAX, 0) {
            (above..file_limit::hard() as c_int).for_each(kernel::close);
        }
    }
    if let Some(keep) = keep.filter(|&keep| keep > 0)
        && !close_range(0, keep as u32 - 1, 0)
    {
        (0..keep).for_each(kernel::close);
    }
    Ok(())
}

/// Has the kernel make room in the table of this thread, which no other shares yet.
fn make_room(any: c_int) {
    let highest = file_limit::soft().min(ROOM_AT_FIRST) - 1;
    // SAFETY: makes a descriptor, and closes it.
    if let Ok(high) = unsafe { syscall!(libc::SYS_fcntl, any, libc::F_DUPFD_CLOEXEC, highest) } {
        kernel::close(high as c_int);
    }
}
