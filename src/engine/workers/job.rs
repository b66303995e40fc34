//! What the threads know of one operation, and the table of all of them.

use core::cell::Cell;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU64, Ordering, fence};

use super::file_table::Nature;
use crate::engine::inbox::Node;
use crate::engine::operation::{Kind, Operation};
use crate::host::kernel::Errno;
use crate::host::memory;

/// Jobs at a time.
pub const JOBS: usize = 8192;

/// See [`Job::attempts`].
pub const WILLING: u8 = 32;

/// What is to be done: of the operation, what the threads need. The operation itself is the engine's thread's alone.
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
    pub nature: Nature,
}

impl Task {
    /// What `operation` asks of the file `fd`.
    pub const fn of(operation: &Operation, fd: c_int, nature: Nature) -> Self {
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
            nature,
        }
    }

    /// To close a file of ours, which may take its time.
    pub const fn closing(fd: c_int) -> Self {
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
            nature: Nature::File,
        }
    }

    /// Whether it moves bytes.
    pub const fn transfers(&self) -> bool {
        matches!(self.kind, Kind::Read | Kind::Write | Kind::ReadVector | Kind::WriteVector)
    }

    /// Whether it may have to wait for another program.
    pub const fn may_wait(&self) -> bool {
        matches!(self.kind, Kind::Poll) || (self.transfers() && !matches!(self.nature, Nature::File))
    }
}

/// One operation with the threads. It belongs to one of them at a time: whoever takes it out of a queue, or changes its
/// phase from `Waiting`.
pub struct Job {
    /// In the list of those that are done.
    link: AtomicPtr<Job>,
    /// In the queue of a pool, under its lock; or in a chain that its owner makes.
    pub next: Cell<Option<&'static Job>>,
    /// Whose it is.
    pub operation: Cell<*mut Operation>,
    pub task: Cell<MaybeUninit<Task>>,
    /// Whether the epoll knows it.
    pub registered: Cell<bool>,
    /// Attempts without waiting that came to nothing; [`WILLING`] of them, and it is done without asking for that.
    pub attempts: Cell<u8>,
    /// The result, once it is done.
    pub result: Cell<i64>,
    /// Whether it is to be stopped, or can be stopped no longer.
    stop: AtomicU8,
    /// Its life's number, what it is at, and what the epoll saw.
    phase: AtomicU64,
}

// SAFETY: the cells are touched by the job's owner alone, and it changes owners through locks and atomics that order that.
unsafe impl Sync for Job {}

/// What a job is at, as far as the epoll is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Somebody has it.
    Owned = 0,
    /// Somebody has it, and was overtaken by the epoll's event while registering it.
    Fired = 1,
    /// Nobody has it: the epoll's event, or a cancellation, makes an owner.
    Waiting = 2,
}

// What `Job::stop` says, beside 0.
const WANTED: u8 = 1;
const TOO_LATE: u8 = 2;

const PHASE: u64 = 3;
const EVENTS: u32 = 16;
const LIFE: u32 = 32;

impl Job {
    /// What is to be done.
    pub fn task(&self) -> Task {
        // SAFETY: written when the job was given out, before anybody else could see it.
        unsafe { self.task.get().assume_init() }
    }

    /// The number of its life: distinguishes it from those that had its place before.
    pub fn life(&self) -> u32 {
        (self.phase.load(Ordering::Relaxed) >> LIFE) as u32
    }

    fn word(life: u32, events: u32, phase: Phase) -> u64 {
        u64::from(life) << LIFE | u64::from(events & 0xffff) << EVENTS | phase as u64
    }

    /// The owner leaves it to the epoll. False: the event has come already, and it is the owner's still.
    pub fn leave(&self) -> bool {
        let life = self.life();
        // Release pairs with the Acquire of whoever owns it next.
        let left = self.phase.compare_exchange(
            Self::word(life, 0, Phase::Owned),
            Self::word(life, 0, Phase::Waiting),
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        left.is_ok()
    }

    /// The events the epoll saw, for the owner; forgotten by that.
    pub fn seen(&self) -> u32 {
        let life = self.life();
        let word = self.phase.swap(Self::word(life, 0, Phase::Owned), Ordering::AcqRel);
        (word >> EVENTS) as u32 & 0xffff
    }

    /// The epoll has seen `events` for the job in its life `life`. True: whoever calls owns it now.
    pub fn fire(&self, life: u32, events: u32) -> bool {
        let mut word = self.phase.load(Ordering::Acquire);
        loop {
            if (word >> LIFE) as u32 != life {
                return false;
            }
            let waits = word & PHASE == Phase::Waiting as u64;
            let phase = if waits { Phase::Owned } else { Phase::Fired };
            let new = Self::word(life, events, phase);
            match self.phase.compare_exchange_weak(word, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return waits,
                Err(now) => word = now,
            }
        }
    }

    /// Takes it from the epoll. False: it does not wait.
    pub fn try_claim(&self) -> bool {
        self.try_claim_in(self.life())
    }

    /// The same, if it still is in that life.
    pub fn try_claim_in(&self, life: u32) -> bool {
        self.phase
            .compare_exchange(
                Self::word(life, 0, Phase::Waiting),
                Self::word(life, 0, Phase::Owned),
                Ordering::AcqRel,
                Ordering::Acquire,
            )
            .is_ok()
    }
}

impl Job {
    /// Asks whoever tries it without waiting to stop it. False: it is too late for that.
    pub fn ask_to_stop(&self) -> bool {
        let asked = self.stop.compare_exchange(0, WANTED, Ordering::AcqRel, Ordering::Acquire);
        // Pairs with that of `is_cancel_requested`: either this thread then finds it waiting, or its owner finds it cancel_requested.
        fence(Ordering::SeqCst);
        asked != Err(TOO_LATE)
    }

    /// Whether its owner is to stop it.
    pub fn is_cancel_requested(&self) -> bool {
        fence(Ordering::SeqCst);
        self.stop.load(Ordering::Acquire) == WANTED
    }

    /// From here on it cannot be stopped. False: it is to be stopped.
    pub fn begin_to_wait(&self) -> bool {
        self.stop.compare_exchange(0, TOO_LATE, Ordering::AcqRel, Ordering::Acquire) != Err(WANTED)
    }
}

// SAFETY: the link is a field; a job is more than 4 bytes aligned.
unsafe impl Node for Job {
    fn link(&self) -> &AtomicPtr<Self> {
        &self.link
    }
}

/// The table. The engine's thread alone gives out its places.
pub struct Jobs {
    table: &'static [Job],
    free: Option<&'static Job>,
    used: usize,
}

impl Jobs {
    /// An empty table. Its memory is used as it fills.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn new() -> Result<Self, Errno> {
        // SAFETY: jobs of zero bytes are valid: no pointers, zero numbers, a task that nobody reads yet. The pages are never
        // given back.
        let table = unsafe { core::slice::from_raw_parts(memory::pages::<Job>(JOBS)?.as_ptr(), JOBS) };
        Ok(Self { table, free: None, used: 0 })
    }

    /// The table, for those who find jobs by their place.
    pub const fn table(&self) -> &'static [Job] {
        self.table
    }

    /// A job for `operation`, null if it is nobody's; nothing if the table is full.
    pub fn take(&mut self, operation: *mut Operation, task: Task) -> Option<&'static Job> {
        let job = match self.free {
            Some(free) => {
                self.free = free.next.get();
                free
            }
            None => self.table.get(self.used).inspect(|_| self.used += 1)?,
        };
        job.next.set(None);
        job.operation.set(operation);
        job.task.set(MaybeUninit::new(task));
        job.registered.set(false);
        job.attempts.set(0);
        job.stop.store(0, Ordering::Release);
        Some(job)
    }

    /// The job's life is over.
    pub fn give_back(&mut self, job: &'static Job) {
        job.operation.set(core::ptr::null_mut());
        job.phase.store(Job::word(job.life().wrapping_add(1), 0, Phase::Owned), Ordering::Release);
        job.next.set(self.free);
        self.free = Some(job);
    }
}

/// The number of a job's place.
pub fn place(table: &'static [Job], job: &Job) -> usize {
    (core::ptr::from_ref(job).addr() - table.as_ptr().addr()) / size_of::<Job>()
}

/// The job behind this one in the list that the inbox gave.
pub fn after(job: &Job) -> *mut Job {
    // Relaxed: the taker's alone.
    job.link.load(Ordering::Relaxed)
}
