//! The thread engine's files: a descriptor table of its own, where the file of each outstanding request is held, whatever
//! becomes of the program's number for it.
//!
//! The table is not the program's, so nothing in it can be seen, counted or closed by the program, and closing a number in
//! it does not drop the program's POSIX locks: those belong to the table (fcntl(2), `locks_remove_posix`).

use core::ffi::{c_int, c_void};
use core::ptr;
use std::collections::HashMap;

use crate::host::fd_broker::FdBroker;
use crate::host::file_info::{self, Backing};
use crate::host::kernel::{self, Errno, syscall};

/// `CLOSE_RANGE_UNSHARE` of `close_range(2)`.
const CLOSE_RANGE_UNSHARE: u32 = 1 << 1;

/// `PIDFD_THREAD` of `pidfd_open(2)` (6.9): names a thread, not a process.
const PIDFD_THREAD: c_int = libc::O_EXCL;

/// What a file is to the threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Answers in a time that depends on no other program.
    File,
    /// May have nothing to give or no room to take.
    Stream,
    /// The same, and has the socket calls.
    Socket,
    /// A stream that may have positions.
    Device,
}

/// The program's descriptor, at one time of its life, as several requests name it.
type Name = (c_int, u32, u64);

struct Held {
    count: u32,
    nature: Nature,
    /// Whether closing it may have to wait for another program or machine.
    close_may_block: bool,
    name: Option<Name>,
}

/// How files come across.
pub struct FileTable {
    broker: &'static FdBroker,
    /// A name of the program's table, for `pidfd_getfd`.
    table: Option<c_int>,
    /// Where the broker sends files to.
    socket: Option<c_int>,
    /// By descriptor of ours.
    held: Vec<Option<Held>>,
    names: HashMap<Name, c_int>,
    open: usize,
}

impl FileTable {
    /// Leaves the program's descriptor table: from here on the calling thread, and those that it starts, have one of their
    /// own, with nothing in it.
    ///
    /// # Errors
    /// Why that cannot be done; what was partially_done is undone as far as possible.
    pub fn leave() -> Result<Self, &'static str> {
        let broker = FdBroker::start().map_err(|_| "no thread can be had")?;
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
            // SAFETY: the number outlives the errand.
            unsafe { broker.ask(close_there, (&raw mut end).cast()) };
        }
        left?;
        let table = match (allowed, lasting) {
            (false, _) => Err(Errno(libc::EPERM)),
            (true, true) => open_pidfd(broker.thread(), PIDFD_THREAD),
            (true, false) => open_pidfd(kernel::process_id(), 0),
        };
        if table.is_err() && socket.is_none() {
            return Err("the process cannot be named");
        }
        Ok(Self { broker, table: table.ok(), socket, held: Vec::new(), names: HashMap::new(), open: 0 })
    }

    /// How many files are held.
    pub const fn open(&self) -> usize {
        self.open
    }

    /// Holds the program's `fd`. With `identity`, together with all who hold the same file at the same time of its life.
    ///
    /// # Errors
    /// `EBADF`; `EMFILE`.
    pub fn acquire(&mut self, fd: c_int, generation: u32, identity: Option<u64>) -> Result<c_int, Errno> {
        let name = identity.map(|identity| (fd, generation, identity));
        if let Some(&known) = name.and_then(|name| self.names.get(&name)) {
            self.retain(known);
            return Ok(known);
        }
        let ours = self.fetch(fd)?;
        let index = ours as usize;
        if self.held.len() <= index {
            if self.held.try_reserve(index + 1).is_err() {
                kernel::close(ours);
                return Err(Errno(libc::ENOMEM));
            }
            self.held.resize_with(index + 1, || None);
        }
        let nature = nature(ours);
        // What may have to wait is waited for by its number, so each waits for a number of its own.
        let name = name.filter(|_| nature == Nature::File);
        if let Some(name) = name
            && self.names.try_reserve(1).is_ok()
        {
            self.names.insert(name, ours);
        }
        self.held[index] =
            Some(Held { count: 1, nature, close_may_block: nature == Nature::File && close_may_block(ours), name });
        self.open += 1;
        Ok(ours)
    }

    /// One holder more of a file that is held.
    pub fn retain(&mut self, ours: c_int) {
        if let Some(Some(held)) = self.held.get_mut(ours as usize) {
            held.count += 1;
        }
    }

    /// One holder fewer. The last closes it; where that may take its time, it is left to whoever called, and true is the answer.
    #[must_use]
    pub fn release(&mut self, ours: c_int) -> bool {
        let Some(place) = self.held.get_mut(ours as usize) else { return false };
        let Some(held) = place else { return false };
        held.count -= 1;
        if held.count > 0 {
            return false;
        }
        if let Some(name) = held.name {
            self.names.remove(&name);
        }
        let close_may_block = held.close_may_block;
        *place = None;
        if !close_may_block {
            kernel::close(ours);
            self.closed();
        }
        close_may_block
    }

    /// A file is closed.
    pub const fn closed(&mut self) {
        self.open -= 1;
    }

    /// What kind of file a held one is.
    pub fn nature(&self, ours: c_int) -> Nature {
        self.held.get(ours as usize).and_then(Option::as_ref).map_or(Nature::File, |held| held.nature)
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

fn open_pidfd(of: c_int, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: makes a descriptor.
    unsafe { syscall!(libc::SYS_pidfd_open, of, flags) }.map(|fd| fd as c_int)
}

fn getfd(table: c_int, fd: c_int) -> Result<c_int, Errno> {
    // SAFETY: makes a descriptor.
    unsafe { syscall!(libc::SYS_pidfd_getfd, table, fd, 0) }.map(|fd| fd as c_int)
}

unsafe fn close_there(fd: *mut c_void) {
    // SAFETY: `leave` passes a number.
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
        let mut limit = libc::rlimit { rlim_cur: 1024, rlim_max: 1024 };
        // SAFETY: fills the structure.
        let _ = unsafe { syscall!(libc::SYS_prlimit64, 0, libc::RLIMIT_NOFILE, ptr::null::<u8>(), &raw mut limit) };
        if !close_range(above, u32::MAX, 0) {
            (above..limit.rlim_max.min(1 << 20) as c_int).for_each(kernel::close);
        }
    }
    if let Some(keep) = keep.filter(|&keep| keep > 0)
        && !close_range(0, keep as u32 - 1, 0)
    {
        (0..keep).for_each(kernel::close);
    }
    Ok(())
}

/// Whether the last `close` may wait: where others keep the file, what was written is sent to them then (NFS), or they are
/// asked (FUSE, which on Linux 6.1 also waits until no write is under way).
fn close_may_block(ours: c_int) -> bool {
    file_info::info_with_flags(ours, 0)
        .is_ok_and(|info| file_info::backing(ours, &info, kernel::now()) == Backing::Remote)
}

fn nature(ours: c_int) -> Nature {
    match file_info::file_type(ours).unwrap_or(libc::S_IFREG) {
        libc::S_IFSOCK => Nature::Socket,
        libc::S_IFCHR => Nature::Device,
        libc::S_IFIFO | 0 => Nature::Stream,
        _ => Nature::File,
    }
}
