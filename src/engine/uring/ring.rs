//! The io_uring itself: submitting, waiting, completions, and its table of files.
//!
//! Only the thread that made the ring may enter it (`SINGLE_ISSUER | COOP_TASKRUN`). Completions are processed when
//! that thread enters the kernel, and no thread of the program is ever interrupted for one. `DEFER_TASKRUN` is as fast,
//! but after a filter has taken the ring away it would report nothing more; see [`crate::engine::failover`].

use core::ptr;
use std::collections::VecDeque;

use io_uring::squeue;
use io_uring::{EnterFlags, opcode};

use super::refused::Refused;
use super::ring_memory::RingMemory;
use super::setup::{self, Doorbell, FileTableAccess, Restricted, RingName, RingSetup};
use crate::engine::ring_layout::{FEATURE_EXT_ARG, FEATURE_NO_IOWAIT};
use crate::engine::ring_queues::Completion;
use crate::host::kernel::{Errno, syscall};
use crate::host::{futex, memory};

/// How often in a row the kernel may refuse an attempt for now. After a tenth of these there is a millisecond between
/// two.
const MAX_REFUSALS: u32 = 400;

/// The user data of a change of the file table. No operation's address and no tag is the same.
const TABLE: u64 = u64::MAX;

/// A ring that belongs to the thread that made it.
pub struct Ring {
    memory: RingMemory,
    pub(super) name: RingName,
    doorbell: Doorbell,
    has_timeouts: bool,
    /// `IORING_ENTER_NO_IOWAIT` where the kernel has it (6.15): a sleep of this thread is not counted as waiting for a
    /// disk.
    no_iowait: u32,
    /// Entries that the kernel has not taken.
    queued: u32,
    /// How many of them were taken back.
    taken_back: u32,
    /// Of entries for which there was no room, the user data.
    refused: VecDeque<u64>,
    files: u32,
    /// What an entry that changes the file table points to.
    changing: Box<i32>,
    /// Completions that were taken to make room, or arrived while that of a change of the file table was waited for.
    early: VecDeque<Completion>,
    /// How often in a row the kernel has refused for now.
    refusals: u32,
    /// Why the ring can no longer be used.
    lost: Option<Errno>,
    pub(super) restricted: Restricted,
}

impl Ring {
    /// Makes the ring of the calling thread.
    ///
    /// # Errors
    /// What stands in the way; nothing is left behind.
    pub fn new() -> Result<Self, Refused> {
        let changing = memory::boxed(-1)?;
        Ok(Self::of(setup::set_up()?, changing))
    }

    pub(super) fn of(setup: RingSetup, changing: Box<i32>) -> Self {
        let RingSetup { memory, name, doorbell, files, restricted } = setup;
        let no_iowait = if memory.queues.has_feature(FEATURE_NO_IOWAIT) { EnterFlags::NO_IOWAIT.bits() } else { 0 };
        let has_timeouts = memory.queues.has_feature(FEATURE_EXT_ARG);
        Self {
            memory,
            name,
            doorbell,
            has_timeouts,
            no_iowait,
            queued: 0,
            taken_back: 0,
            refused: VecDeque::new(),
            files,
            changing,
            early: VecDeque::new(),
            refusals: 0,
            lost: None,
            restricted,
        }
    }

    /// From here on the ring sees notifications by the signal of this signalfd, which goes into the last slot of its
    /// file table.
    ///
    /// # Errors
    /// There is no slot; what the kernel answers.
    pub(super) fn ring_by_signal(&mut self, fd: i32) -> Result<(), Errno> {
        let slot = self.files.checked_sub(1).ok_or(Errno(libc::ENFILE))?;
        self.set_file(slot, fd)?;
        (self.files, self.doorbell) = (slot, Doorbell::Signal(slot));
        Ok(())
    }

    /// How another thread wakes this one while it sleeps in the ring.
    pub const fn doorbell(&self) -> Doorbell {
        self.doorbell
    }

    /// Whether [`Ring::wait`] can be given a time (5.11).
    pub const fn has_timeouts(&self) -> bool {
        self.has_timeouts
    }

    /// Completions that its queue holds.
    pub const fn completions(&self) -> u32 {
        self.memory.queues.completions()
    }

    /// Slots in the file table.
    pub const fn files(&self) -> u32 {
        self.files
    }

    /// Puts an entry into the submission queue. The kernel is called when the queue is full. A ring that is lost may have no room:
    /// then the entry is [taken back](Ring::take_back) with those that the kernel has not taken.
    ///
    /// # Safety
    /// What the entry points to stays until its completion.
    pub unsafe fn push(&mut self, entry: &squeue::Entry) {
        // SAFETY: the caller's promise.
        while unsafe { !self.memory.queues.push(entry) } {
            if self.lost.is_some() {
                self.refused.push_back(entry.get_user_data());
                return;
            }
            self.submit();
        }
        self.queued += 1;
    }

    /// From a ring that is lost, the user data of the next entry that the kernel has not taken, and never will.
    pub fn take_back(&mut self) -> Option<u64> {
        self.lost?;
        let data = self.memory.queues.untaken(self.taken_back).inspect(|_| self.taken_back += 1);
        data.or_else(|| self.refused.pop_front())
    }

    /// Submits what is queued, and has the kernel post what has completed.
    pub fn submit(&mut self) {
        while self.queued > 0 && self.lost.is_none() {
            // Where it fails, the kernel has what it took, and the rest is still queued.
            if self.enter(0, EnterFlags::GETEVENTS.bits(), ptr::null(), 0) == Err(Errno(libc::EBUSY)) {
                // Before 5.12 it takes nothing while there are completions for which the queue has no room.
                while let Some(completion) = self.memory.queues.pop() {
                    self.early.push_back(completion);
                }
            }
        }
    }

    /// Submits, and sleeps until a completion is there, at most `nanoseconds` if that is given.
    pub fn wait(&mut self, nanoseconds: Option<u32>) {
        if !self.early.is_empty() {
            return self.submit();
        }
        let flags = EnterFlags::GETEVENTS.bits() | self.no_iowait;
        let _ = match nanoseconds {
            None => self.enter(1, flags, ptr::null(), 0),
            Some(nanoseconds) => {
                let most = io_uring::types::Timespec::new().nsec(nanoseconds);
                let arguments = io_uring::types::SubmitArgs::new().timespec(&most);
                self.enter(
                    1,
                    flags | EnterFlags::EXT_ARG.bits(),
                    ptr::from_ref(&arguments).cast(),
                    size_of_val(&arguments),
                )
            }
        };
    }

    fn enter(&mut self, want: u32, flags: u32, argument: *const u8, size: usize) -> Result<(), Errno> {
        let (ring, named_by) = self.name.enter;
        let flags = flags | named_by;
        // SAFETY: the ring is this thread's; queued entries are valid by the promise of `push`.
        let taken = unsafe { syscall!(libc::SYS_io_uring_enter, ring, self.queued, want, flags, argument, size) }
            .inspect_err(|&errno| self.note_loss(errno))?;
        self.queued = self.queued.saturating_sub(taken as u32);
        self.refusals = 0;
        Ok(())
    }

    /// Decides whether an error means that the ring is lost: a filter that was set meanwhile refuses the call, with an
    /// errno of its author's choice.
    fn note_loss(&mut self, errno: Errno) {
        let passes = match errno {
            // A wait has ended. (A call that submits returns the count.)
            Errno(libc::ETIME) if self.queued == 0 => return,
            // There is no memory for a request, or completions must be taken first: wait a little, but not without end.
            Errno(libc::EAGAIN | libc::EBUSY | libc::ENOMEM | libc::EINTR | libc::ETIME | libc::EBADR) => {
                self.refusals += 1;
                if self.refusals > MAX_REFUSALS / 10 {
                    futex::sleep_1ms();
                }
                self.refusals < MAX_REFUSALS
            }
            _ => false,
        };
        if !passes && self.lost.is_none() {
            self.lost = Some(errno);
        }
    }

    #[cfg(test)]
    pub fn has_early(&self) -> bool {
        !self.early.is_empty()
    }

    /// Why the ring can no longer be used, if so.
    pub const fn lost(&self) -> Option<Errno> {
        self.lost
    }

    /// The next completion.
    pub fn next(&mut self) -> Option<Completion> {
        self.early.pop_front().or_else(|| self.memory.queues.pop()).filter(|completion| completion.data != TABLE)
    }

    /// Puts the file behind `fd` into a slot of the file table, or empties the slot with -1.
    ///
    /// # Errors
    /// `EBADF`, or what the kernel answers.
    pub fn set_file(&mut self, slot: u32, fd: i32) -> Result<(), Errno> {
        if self.name.table == FileTableAccess::ByEntry {
            return self.set_file_by_entry(slot, fd);
        }
        setup::update_files(self.name.table, slot, fd).map(drop).inspect_err(|&errno| {
            if !matches!(errno, Errno(libc::EBADF | libc::ENFILE | libc::EMFILE | libc::EOPNOTSUPP)) {
                self.note_loss(errno);
            }
        })
    }

    /// The same by an entry. It is executed as it is submitted, and its completion is waited for.
    fn set_file_by_entry(&mut self, slot: u32, fd: i32) -> Result<(), Errno> {
        *self.changing = fd;
        let entry = opcode::FilesUpdate::new(&raw const *self.changing, 1).offset(slot as i32).build();
        // SAFETY: the box stays as long as the ring's memory does.
        unsafe { self.push(&entry.user_data(TABLE)) };
        loop {
            while let Some(completion) = self.memory.queues.pop() {
                match completion {
                    Completion { data: TABLE, result: 0.., .. } => return Ok(()),
                    Completion { data: TABLE, result: errno, .. } => return Err(Errno(-errno)),
                    other => self.early.push_back(other),
                }
            }
            if let Some(errno) = self.lost {
                return Err(errno);
            }
            let _ = self.enter(1, EnterFlags::GETEVENTS.bits(), ptr::null(), 0);
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // A ring without a descriptor is registered with its thread, and ends with that.
        self.name.close();
    }
}
