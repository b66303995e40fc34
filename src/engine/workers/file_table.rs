//! The workers' files: in a descriptor table of their own ([`OwnTable`]) the file of each outstanding request is held,
//! whatever becomes of the program's number for it.
//!
//! The table is not the program's, so nothing in it can be seen, counted or closed by the program, and closing a number
//! in it does not drop the program's POSIX locks: those belong to the table (fcntl(2), `locks_remove_posix`).
//!
//! Requests on one file share a descriptor. The reactor alone adds holders; a worker that is done with a request takes
//! its hold off and, if that was the last, closes the file before it reports the request as done ([`Holders`]).

use core::ffi::c_int;
use std::collections::HashMap;

use super::file_limit;
use super::holders::Holders;
use super::kept::{self, KeptFiles};
use super::nature::Nature;
use super::own_table::OwnTable;
use crate::engine::device::Name;
use crate::host::descriptors;
use crate::host::file_info::{self, Backing, FileInfo};
use crate::host::kernel::{self, Errno, syscall};
use crate::host::raw_thread::Table;

/// Descriptors kept for requests that end by themselves, and for those that must be let in to see whether they can end.
const RESERVE: usize = 64;

/// The program's descriptor, at one time of its life, as several requests name it.
type FullName = (c_int, Name);

struct Held {
    life: u32,
    nature: Nature,
    /// Of a file, where it is known; otherwise 0.
    identity: u64,
    name: Option<FullName>,
    /// Whether it is kept between requests, by a hold of its own.
    is_kept: bool,
    /// Whether a request has come since the last look for what is not used.
    was_used: bool,
}

/// A descriptor that nothing holds any more but the job that closes it.
#[derive(Clone, Copy, Debug)]
pub struct Unheld {
    pub fd: c_int,
    pub life: u32,
}

/// Which files there are. The reactor's.
pub struct FileTable {
    own: OwnTable,
    holders: &'static Holders,
    /// By descriptor of the workers' table.
    held: Vec<Option<Held>>,
    names: HashMap<FullName, c_int>,
    kept: KeptFiles,
    open: usize,
    lives: u32,
    /// What was kept and is to be closed, each with a hold.
    unused: Vec<c_int>,
    /// How many descriptors the table may have.
    limit: usize,
}

impl FileTable {
    /// The files that are in a table now: those that were copied into it.
    pub fn new(own: OwnTable, holders: &'static Holders) -> Self {
        let mut this = Self {
            kept: KeptFiles::new(own.can_compare),
            own,
            holders,
            held: Vec::new(),
            names: HashMap::new(),
            open: 0,
            lives: 0,
            unused: Vec::new(),
            limit: file_limit::hard(),
        };
        for (fd, identity) in core::mem::take(&mut this.own.copies) {
            this.adopt(fd, identity);
        }
        this
    }

    /// Keeps a file that was copied, or has it closed.
    fn adopt(&mut self, fd: c_int, identity: u64) {
        if self.insert(fd, Nature::File, identity).is_ok() {
            if self.begin_to_keep(fd, fd) {
                self.name(fd, (fd, (descriptors::generation(fd), identity)));
            } else {
                self.unused.push(fd);
            }
        }
    }

    /// How many files are open.
    pub const fn open(&self) -> usize {
        self.open
    }

    /// Whether there is room for a file that may be held for ever.
    pub fn has_room(&self) -> bool {
        self.open + RESERVE.min(self.limit / 4) < self.limit
    }

    /// Holds the program's `fd`, which has this generation: together with all requests that name the file by it, or by
    /// a file that is kept.
    ///
    /// # Errors
    /// `EBADF`; `EMFILE`.
    pub fn hold(&mut self, fd: c_int, (generation, identity): Name) -> Result<c_int, Errno> {
        let name = (fd, (generation, identity));
        if let Some(&known) = self.names.get(&name)
            && self.holders.retain(known)
        {
            if self.is_current(name, known) {
                return Ok(known);
            }
            // What was kept has another hold.
            self.holders.release(known);
            self.forget(known);
            if self.stop_keeping(known) {
                self.kept.forget(known);
                self.unused.push(known);
            }
        }
        let (ours, info) = self.fetch(fd)?;
        let is_kept = info.is_ok_and(|info| self.keep(fd, ours, info));
        // Without an identity only a file that is compared is found again.
        if is_kept || identity != 0 {
            self.name(ours, name);
        }
        Ok(ours)
    }

    /// Holds the program's `fd` alone.
    ///
    /// # Errors
    /// `EBADF`; `EMFILE`.
    pub fn hold_alone(&mut self, fd: c_int) -> Result<c_int, Errno> {
        self.fetch(fd).map(|(ours, _)| ours)
    }

    /// Makes and holds a descriptor of the program's file, and tells what is known of the file. Its server is not asked.
    fn fetch(&mut self, fd: c_int) -> Result<(c_int, Result<FileInfo, Errno>), Errno> {
        let ours = file_limit::raised_if_full(|| self.own.fetch(fd))?;
        let info = file_info::info_with_flags(ours, 0);
        let nature = info.map_or(Nature::File, Nature::of);
        let identity = info.map_or(0, |info| info.identity);
        Ok((self.insert(ours, nature, identity)?, info))
    }

    fn name(&mut self, ours: c_int, name: FullName) {
        if self.names.try_reserve(1).is_ok()
            && let Some(Some(held)) = self.held.get_mut(ours as usize)
        {
            held.name = Some(name);
            self.names.insert(name, ours);
        }
    }

    /// Keeps a file of a server's, by a hold of its own. Whether it does.
    fn keep(&mut self, fd: c_int, ours: c_int, info: FileInfo) -> bool {
        let may_be_kept = self.kept.has_room()
            && Nature::of(info) == Nature::File
            && file_info::backing(ours, &info, kernel::now(), Table::Own) == Backing::Remote;
        if !may_be_kept || !self.holders.retain(ours) {
            return false;
        }
        if self.begin_to_keep(fd, ours) {
            return true;
        }
        // Its other hold has just been made.
        self.holders.release(ours);
        false
    }

    fn begin_to_keep(&mut self, fd: c_int, ours: c_int) -> bool {
        let Some(Some(held)) = self.held.get_mut(ours as usize) else { return false };
        held.is_kept = self.kept.add(fd, ours);
        held.is_kept
    }

    /// Whether it was kept: the hold is the caller's.
    fn stop_keeping(&mut self, ours: c_int) -> bool {
        let held = self.held.get_mut(ours as usize).and_then(Option::as_mut);
        held.is_some_and(|held| core::mem::take(&mut held.is_kept))
    }

    /// Whether a file that is held is still what the program's number names, and used from now on. It is, where another
    /// request is on a file of this identity; what was only kept is compared.
    fn is_current(&mut self, (fd, (_, identity)): FullName, ours: c_int) -> bool {
        const KEPT_AND_NEW: u32 = 2;
        let Some(Some(held)) = self.held.get_mut(ours as usize) else { return false };
        held.was_used = true;
        if !held.is_kept || (identity != 0 && self.holders.count(ours) > KEPT_AND_NEW) {
            return true;
        }
        kept::are_same((self.own.other_thread(), fd), (kernel::thread_id(), ours))
    }

    /// What is kept for the program's number, or anything for -1, with the hold that kept it.
    pub fn take_kept(&mut self, fd: c_int) -> Option<c_int> {
        let ours = self.kept.take(fd)?;
        self.stop_keeping(ours);
        self.forget(ours);
        Some(ours)
    }

    /// What has been kept without being used, or is not what it was kept for, with the hold that kept it.
    pub fn take_unused(&mut self) -> Option<c_int> {
        if self.kept.must_sweep() {
            let (held, holders) = (&mut self.held, self.holders);
            let was_used = |ours: c_int| {
                let held = held.get_mut(ours as usize).and_then(Option::as_mut);
                held.is_some_and(|held| core::mem::take(&mut held.was_used)) || holders.count(ours) > 1
            };
            for ours in self.kept.sweep(was_used) {
                self.stop_keeping(ours);
                self.forget(ours);
                self.unused.push(ours);
            }
        }
        self.unused.pop()
    }

    fn insert(&mut self, ours: c_int, nature: Nature, identity: u64) -> Result<c_int, Errno> {
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
        self.lives = self.lives.wrapping_add(1);
        self.held[index] =
            Some(Held { life: self.lives, nature, identity, name: None, is_kept: false, was_used: true });
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

    /// Turns the caller's hold into that of a descriptor without another holder now and later, as the epoll needs. With
    /// the other one, if nothing holds that any more.
    ///
    /// # Errors
    /// `EMFILE`: the caller still has its hold.
    pub fn separate(&mut self, ours: c_int) -> Result<(c_int, Option<Unheld>), Errno> {
        if self.holders.count(ours) == 1 {
            self.forget(ours);
            return Ok((ours, None));
        }
        // SAFETY: makes a descriptor.
        let copy = file_limit::raised_if_full(|| unsafe { syscall!(libc::SYS_fcntl, ours, libc::F_DUPFD_CLOEXEC, 0) })?;
        let copy = self.insert(copy as c_int, self.nature(ours), self.identity(ours))?;
        Ok((copy, self.release(ours)))
    }

    /// One hold of the reactor's fewer. If it was the last, the hold of the job that closes the file, which nothing
    /// finds any more.
    pub fn release(&mut self, ours: c_int) -> Option<Unheld> {
        if !self.holders.release(ours) {
            return None;
        }
        self.forget(ours);
        self.holders.begin(ours).ok()?;
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

    /// Names the file: see [`FileInfo::identity`].
    pub fn identity(&self, ours: c_int) -> u64 {
        self.held.get(ours as usize).and_then(Option::as_ref).map_or(0, |held| held.identity)
    }

    /// Which of the files that have had this number it is.
    pub fn life(&self, ours: c_int) -> u32 {
        self.held.get(ours as usize).and_then(Option::as_ref).map_or(0, |held| held.life)
    }
}
