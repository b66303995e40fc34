//! What the threads know of one operation, and the table of all of them.
//!
//! A job has one owner at a time. It changes hands through the queues, through the list of those that are done, and
//! through its phase:
//!
//! ```text
//!               reactor takes it                             the epoll's event, or a cancellation
//!   free ─────────────────────────→ queued ──→ a worker ⇄ parked ──────────────────────────────────→ queued, or done
//!     ↑                                           │
//!     └───────────── reactor reaps it ←── done ←──┘
//! ```

use core::cell::Cell;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, Ordering, fence};

use super::blocks::Blocks;
use super::nature::Nature;
use crate::engine::inbox::Node;
use crate::engine::operation::{Kind, NO_DEVICE, Operation};
use crate::host::kernel::Errno;

/// The place of a file among those whose writes may wait for each other.
pub type WritePlace = u8;

/// What is to be done: of the operation, what the threads need. The operation itself is the reactor's alone.
#[derive(Clone, Copy)]
pub struct Task {
    pub kind: Kind,
    pub address: usize,
    pub length: usize,
    pub offset: i64,
    pub rw_flags: c_int,
    pub priority: u16,
    pub events: u32,
    pub nonblocking: bool,
    /// The file, in the engine's own table.
    pub fd: c_int,
    /// Which of the files that have had this number.
    pub life: u32,
    pub nature: Nature,
    /// The [identity](crate::host::file_info::FileInfo::identity) of a file that has positions, if it is a write on one; 0
    /// otherwise, and where it is not known.
    pub written: u64,
    /// It does not wait: if it would have to, it comes back with [`Job::would_wait`] set.
    pub is_trial: bool,
    /// See [`Operation::device`].
    pub device: u8,
}

impl Task {
    /// What `operation` asks of the file `fd`.
    pub const fn of(operation: &Operation, fd: c_int, life: u32, nature: Nature) -> Self {
        Self {
            kind: operation.kind,
            address: operation.address,
            length: operation.length,
            offset: operation.offset,
            rw_flags: operation.rw_flags,
            priority: operation.priority,
            events: operation.awaited(),
            nonblocking: operation.nonblocking,
            fd,
            life,
            nature,
            written: 0,
            is_trial: false,
            device: operation.device,
        }
    }

    /// To close a file.
    pub const fn closing(fd: c_int, life: u32) -> Self {
        Self {
            kind: Kind::Nop,
            address: 0,
            length: 0,
            offset: 0,
            rw_flags: 0,
            priority: 0,
            events: 0,
            nonblocking: false,
            fd,
            life,
            nature: Nature::Device,
            written: 0,
            is_trial: false,
            device: NO_DEVICE,
        }
    }

    /// Whether it moves bytes to the file.
    pub const fn writes(&self) -> bool {
        self.kind.writes()
    }

    /// Whether it may have to wait for another program, for ever if that does nothing.
    pub const fn may_wait(&self) -> bool {
        matches!(self.kind, Kind::Poll | Kind::Nop) || (self.kind.is_transfer() && !matches!(self.nature, Nature::File))
    }
}

/// One operation with the threads.
pub struct Job {
    /// In the list of those that are done.
    link: AtomicPtr<Job>,
    /// In a queue, under its lock; or in a chain that its owner makes.
    pub next: Cell<Option<&'static Job>>,
    /// Its place in the table.
    number: Cell<u32>,
    /// Whose it is; null for a file that is only closed.
    pub operation: Cell<*mut Operation>,
    task: Cell<MaybeUninit<Task>>,
    /// Its file among those whose writes wait for each other, while it is queued or a worker is at it.
    pub place: Cell<Option<WritePlace>>,
    /// Whether the epoll knows it.
    pub is_registered: Cell<bool>,
    /// How often an attempt without waiting found nothing to do although the file was ready.
    pub vain_attempts: Cell<u8>,
    /// Bytes that were written so far.
    pub moved: Cell<usize>,
    /// Its result is known, and only its file is still to be let go.
    pub is_decided: Cell<bool>,
    /// The result, once it is known.
    pub result: Cell<i64>,
    /// It comes back without a result: it would have to wait, and was not to.
    pub would_wait: Cell<bool>,
    /// While it is parked: what it waits for may come without an event. Relaxed: one that is wrong has it tried in vain.
    pub is_unheard: AtomicBool,
    /// A plain call would have sent `SIGPIPE`.
    pub is_broken: Cell<bool>,
    /// Whether its file was closed for it: it was the last that held it.
    pub has_closed: Cell<bool>,
    /// Whether it is to be stopped, or can be stopped no longer.
    stop: AtomicU8,
    /// Its life's number, its phase, and what the epoll saw.
    phase: AtomicU64,
}

// SAFETY: the cells are touched by the job's owner alone, and it changes owners through locks and atomics that order
// that.
unsafe impl Sync for Job {}

/// Whose a job is, as far as the epoll is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A thread's.
    Owned = 0,
    /// A thread's, which was overtaken by the epoll's event while it registered the job.
    Fired = 1,
    /// No thread's: the epoll's event, or a cancellation, makes an owner.
    Parked = 2,
}

// What `Job::stop` says, beside 0.
const WANTED: u8 = 1;
const TOO_LATE: u8 = 2;

const PHASE_MASK: u64 = 3;
const EVENTS_SHIFT: u32 = 16;
const LIFE_SHIFT: u32 = 32;

impl Job {
    /// What is to be done.
    pub fn task(&self) -> Task {
        // SAFETY: written when the job was given out, before any other thread could see it.
        unsafe { self.task.get().assume_init() }
    }

    /// Changes what is left to be done. For the owner.
    pub fn set_task(&self, task: Task) {
        self.task.set(MaybeUninit::new(task));
    }

    /// Decides its result. For the owner.
    pub fn decide(&self, result: i64) {
        self.result.set(result);
        self.is_decided.set(true);
    }

    /// Its place in the table.
    pub const fn number(&self) -> u32 {
        self.number.get()
    }

    /// The number of its life: distinguishes it from those that had its place before.
    pub fn life(&self) -> u32 {
        (self.phase.load(Ordering::Relaxed) >> LIFE_SHIFT) as u32
    }

    fn word(life: u32, events: u32, phase: Phase) -> u64 {
        u64::from(life) << LIFE_SHIFT | u64::from(events & 0xffff) << EVENTS_SHIFT | phase as u64
    }

    /// The owner leaves it to the epoll. False: the event has come already, and it is the owner's still.
    pub fn park(&self) -> bool {
        self.change(self.life(), Phase::Owned, Phase::Parked)
    }

    /// Changes its phase, if it still is in that life and phase. Whether it does.
    fn change(&self, life: u32, from: Phase, to: Phase) -> bool {
        let (from, to) = (Self::word(life, 0, from), Self::word(life, 0, to));
        // The Release of one owner pairs with the Acquire of the next.
        self.phase.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The events the epoll saw, for the owner; forgotten by that.
    pub fn take_events(&self) -> u32 {
        let life = self.life();
        let word = self.phase.swap(Self::word(life, 0, Phase::Owned), Ordering::AcqRel);
        (word >> EVENTS_SHIFT) as u32 & 0xffff
    }

    /// The epoll has seen `events` for the job in its life `life`. True: the caller owns it now.
    pub fn fire(&self, life: u32, events: u32) -> bool {
        let mut word = self.phase.load(Ordering::Acquire);
        loop {
            if (word >> LIFE_SHIFT) as u32 != life {
                return false;
            }
            let is_parked = word & PHASE_MASK == Phase::Parked as u64;
            let phase = if is_parked { Phase::Owned } else { Phase::Fired };
            let new = Self::word(life, events, phase);
            match self.phase.compare_exchange_weak(word, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return is_parked,
                Err(now) => word = now,
            }
        }
    }

    /// Takes it from the epoll. False: it is not parked.
    pub fn try_claim(&self) -> bool {
        self.try_claim_in(self.life())
    }

    /// The same, if it still is in that life.
    pub fn try_claim_in(&self, life: u32) -> bool {
        self.change(life, Phase::Parked, Phase::Owned)
    }
}

impl Job {
    /// Asks its owner to stop it. False: it is too late for that.
    pub fn ask_to_stop(&self) -> bool {
        let asked = self.stop.compare_exchange(0, WANTED, Ordering::AcqRel, Ordering::Acquire);
        // Pairs with that of `is_to_stop`: either this thread then finds it parked, or its owner finds this.
        fence(Ordering::SeqCst);
        asked != Err(TOO_LATE)
    }

    /// Whether its owner is to stop it.
    pub fn is_to_stop(&self) -> bool {
        fence(Ordering::SeqCst);
        self.stop.load(Ordering::Acquire) == WANTED
    }

    /// From here on it cannot be stopped. False: it is to be stopped.
    pub fn commit(&self) -> bool {
        self.stop.compare_exchange(0, TOO_LATE, Ordering::AcqRel, Ordering::Acquire) != Err(WANTED)
    }

    /// From here on it cannot be stopped, even if it was to be: bytes have moved.
    pub fn commit_now(&self) {
        self.stop.store(TOO_LATE, Ordering::Release);
    }
}

// SAFETY: the link is a field; a job is more than 4 bytes aligned.
unsafe impl Node for Job {
    fn link(&self) -> &AtomicPtr<Self> {
        &self.link
    }
}

/// The table. The reactor alone gives out its places.
pub struct Jobs {
    table: &'static Blocks<Job>,
    free: Option<&'static Job>,
    /// Places that were ever used.
    made: usize,
    in_use: usize,
}

impl Jobs {
    /// A table whose places are all free.
    pub const fn new(table: &'static Blocks<Job>) -> Self {
        Self { table, free: None, made: 0, in_use: 0 }
    }

    /// How many places are in use.
    pub const fn in_use(&self) -> usize {
        self.in_use
    }

    /// A job for `operation`, or for none.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn take(&mut self, operation: *mut Operation, task: Task) -> Result<&'static Job, Errno> {
        let job = if let Some(free) = self.free {
            self.free = free.next.get();
            free
        } else {
            let job = self.table.make(self.made)?;
            job.number.set(self.made as u32);
            self.made += 1;
            job
        };
        self.in_use += 1;
        job.next.set(None);
        job.operation.set(operation);
        job.set_task(task);
        job.is_registered.set(false);
        job.vain_attempts.set(0);
        job.place.set(None);
        job.moved.set(0);
        job.is_decided.set(false);
        job.would_wait.set(false);
        job.is_broken.set(false);
        job.is_unheard.store(false, Ordering::Relaxed);
        job.has_closed.set(false);
        job.stop.store(0, Ordering::Release);
        Ok(job)
    }

    /// The job's life is over.
    pub fn give_back(&mut self, job: &'static Job) {
        self.in_use -= 1;
        job.operation.set(core::ptr::null_mut());
        job.phase.store(Job::word(job.life().wrapping_add(1), 0, Phase::Owned), Ordering::Release);
        job.next.set(self.free);
        self.free = Some(job);
    }
}

/// The job behind this one in the list that the inbox gave.
pub fn after(job: &Job) -> *mut Job {
    // Relaxed: the taker's alone.
    job.link.load(Ordering::Relaxed)
}
