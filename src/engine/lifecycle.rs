//! An engine's life. Its thread is started by the first submission, ends when it has had nothing to do for
//! [`IDLE_EXIT_MS`], and is started again by the next submission.
//!
//! ```text
//!                  io_uring cannot be used, or no thread started
//!   NEW ──→ STARTING ─────────────────────────────────────────────→ UNAVAILABLE
//!               │                                                     ↑     ↑
//!               ↓           nothing outstanding for a second          │     │
//!            SERVING ─────→ LEAVING ─────→ RESTING ───────────────────│─────┘ a filter is set
//!             ↑   │ ↑          │              │                       │
//!             │   │ └──────────┘              │ a submission          │ nothing is left
//!             │   │   something came          ↓                       │
//!             │   │                       RESTARTING                  │
//!             │   │                           │                       │
//!             └───│───────────────────────────┘                       │
//!                 └─────→ CLOSING ────────────────────────────────────┘
//!        a filter is set, or the ring was taken away
//! ```
//!
//! | state | the engine takes operations | there is a thread | the inbox |
//! |---|---|---|---|
//! | `NEW`, `STARTING` | not yet | is being started | `GONE` |
//! | `SERVING` | yes | yes | anything but `GONE` |
//! | `LEAVING` | yes, unless it succeeds | is about to end | `GONE` once it succeeds |
//! | `RESTING` | by starting a thread | no | `GONE` |
//! | `RESTARTING` | as soon as the thread has begun | is being started | `GONE` |
//! | `CLOSING` | no: the other engine does | yes | anything but `GONE` |
//! | `UNAVAILABLE` | no: the other engine does | no, or about to end | `GONE` at last |
//!
//! Only a thread of the engine's changes the state from `SERVING` to `LEAVING` and on, and only after it has found its
//! inbox asleep. The inbox decides the race with a submitter: what is pushed before the head becomes `GONE` keeps the
//! thread, and a later pusher finds `GONE` and starts another ([`Engine::serve`]). A pusher may be a signal handler,
//! and may have interrupted another pusher of the same thread: a thread is therefore started with signals blocked, from
//! the change of the state on, so that no handler can wait for the thread that it has interrupted.

use core::ffi::c_void;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use core::time::Duration;

use super::cancel::Commands;
use super::inbox::Inbox;
use super::operation::Operation;
use crate::host::futex::{self, Deadline};
use crate::host::kernel::Errno;
use crate::host::log::{self, Priority};
use crate::host::{fd_broker, kernel, thread, thread_identity};

/// How long a call of the program's waits for an engine's thread at the longest, before it goes on without an answer.
pub const ENGINE_WAIT_MS: u64 = 2_000;

/// The pause between two looks at a condition that no thread wakes for.
pub const SETTLE_TICK: Duration = Duration::from_millis(10);

/// After so long without an operation outstanding a thread of the library ends.
pub const IDLE_EXIT_MS: u64 = 1_000;

pub const NEW: u32 = 0;
pub const STARTING: u32 = 1;
pub const UNAVAILABLE: u32 = 2;
pub const CLOSING: u32 = 3;
// From here on it takes operations.
pub const LEAVING: u32 = 4;
pub const RESTING: u32 = 5;
pub const RESTARTING: u32 = 6;
pub const SERVING: u32 = 7;

/// What carries operations out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// io_uring.
    Uring,
    /// Worker threads and plain system calls.
    Workers,
}

/// How an engine's first threads are started.
pub type StartThreads = fn(&'static Engine) -> Result<(), Errno>;

/// One engine of the process.
pub struct Engine {
    carrier: Carrier,
    /// Starts the first threads, on a thread that has the program's descriptors.
    start_threads: StartThreads,
    /// See the module.
    pub(super) state: AtomicU32,
    pub(super) inbox: Inbox<Operation>,
    pub(super) commands: Commands,
    /// The thread that runs the reactor now, 0 for none. Relaxed: that thread reads what it wrote, and any other finds
    /// a number that is not its own.
    pub(super) thread: AtomicI32,
    /// Counts notifications. The engine's threads sleep on it.
    pub(super) doorbell: AtomicU32,
    /// The thread that has to be sent a signal with each notification; 0 for none.
    pub(super) wants_signal: AtomicI32,
    /// The process that this thread is of: not that of a child of `vfork`, which may notify as well.
    pub(super) process: AtomicI32,
    /// Whether its threads stay although they have nothing to do.
    pub(super) stays: AtomicBool,
    /// Until when its threads are to end as soon as they have nothing to do, in nanoseconds ([`mod@super::end_threads`]). Relaxed
    /// throughout: who is woken for it asks again.
    pub(super) hurried_until: AtomicU64,
    /// Counts the reactor's turns: all that was taken in one has reached the kernel when the next begins.
    pub(super) turns: AtomicU32,
    /// A thread sleeps on `turns`.
    pub(super) turn_awaited: AtomicU32,
}

impl Engine {
    /// An engine that is not started yet.
    pub fn new(carrier: Carrier, start_threads: StartThreads) -> Self {
        Self {
            carrier,
            start_threads,
            state: AtomicU32::new(NEW),
            inbox: Inbox::without_thread(),
            commands: Commands::new(),
            thread: AtomicI32::new(0),
            doorbell: AtomicU32::new(0),
            wants_signal: AtomicI32::new(0),
            process: AtomicI32::new(0),
            stays: AtomicBool::new(false),
            hurried_until: AtomicU64::new(0),
            turns: AtomicU32::new(0),
            turn_awaited: AtomicU32::new(0),
        }
    }

    /// What carries operations out.
    #[must_use]
    pub const fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// Whether it takes operations, with or without a thread at the moment.
    #[inline]
    pub(super) fn is_available(&self) -> bool {
        // Acquire pairs with the Release of `decide`.
        self.state.load(Ordering::Acquire) >= LEAVING
    }

    /// Whether it takes no operation any more.
    pub(super) fn is_lost(&self) -> bool {
        self.state.load(Ordering::Acquire) == UNAVAILABLE
    }

    /// Whether it has a thread, and takes operations.
    #[inline]
    pub(super) fn has_thread(&self) -> bool {
        self.state.load(Ordering::Acquire) == SERVING
    }

    /// Sees to it that there is a thread. False: none can be started now, or from the calling thread, or the engine takes
    /// nothing any more. Waits for threads of the library alone.
    #[cold]
    pub(super) fn serve(&'static self) -> bool {
        // A thread that was started may have ended again before this one looks: it had nothing to do for long.
        const ATTEMPTS: u32 = 3;
        let mut attempts = 0;
        loop {
            match self.state.load(Ordering::Acquire) {
                SERVING => return true,
                CLOSING | UNAVAILABLE => return false,
                NEW | RESTING if attempts == ATTEMPTS || !self.is_of_this_process() => return false,
                // Its threads would have other descriptors or rights than the process.
                NEW | RESTING if thread_identity::is_separate() => return false,
                NEW => attempts += u32::from(self.start(NEW, STARTING)),
                RESTING => attempts += u32::from(self.start(RESTING, RESTARTING)),
                state => {
                    let _ = futex::wait(&self.state, state, Deadline::Never);
                }
            }
        }
    }

    /// Whether the calling thread is of the engine's process, and not of a child of `vfork`, which has the memory
    /// alone.
    pub(super) fn is_of_this_process(&self) -> bool {
        let (here, known) = (kernel::process_id(), self.process.load(Ordering::Relaxed));
        if known == 0 {
            self.process.store(here, Ordering::Relaxed);
        }
        known == 0 || known == here
    }

    /// Starts the thread. Whether this was an attempt: not if another submitter was faster.
    fn start(&'static self, from: u32, to: u32) -> bool {
        let blocked = thread::block_all_departures();
        // Acquire pairs with the Release of `decide`: what the thread before left behind is seen.
        let tries = self.state.compare_exchange(from, to, Ordering::Acquire, Ordering::Acquire).is_ok();
        if tries && self.start_threads().is_err() {
            log::log(Priority::Error, format_args!("no thread can be started"));
            self.decide(from);
        }
        thread::restore_signals(blocked);
        tries
    }

    fn start_threads(&'static self) -> Result<(), Errno> {
        struct Wanted {
            engine: &'static Engine,
            answer: Result<(), Errno>,
        }
        unsafe fn start(wanted: *mut c_void) {
            // SAFETY: the one below, which outlives the task.
            let wanted = unsafe { &mut *wanted.cast::<Wanted>() };
            wanted.answer = (wanted.engine.start_threads)(wanted.engine);
        }
        let mut wanted = Wanted { engine: self, answer: Ok(()) };
        // SAFETY: as `start` asks.
        unsafe { fd_broker::with_descriptors(start, (&raw mut wanted).cast()) };
        wanted.answer
    }

    /// The engine's thread, when it can take operations: the first one of an engine that is being started, and any
    /// later one at once.
    pub(super) fn begin_serving(&self) {
        self.inbox.arrive();
        self.decide(SERVING);
    }

    pub(super) fn decide(&self, state: u32) {
        // Release pairs with the Acquire of each reader of the state: the engine is whole.
        self.state.store(state, Ordering::Release);
        futex::wake_all(&raw const self.state);
    }

    /// The engine's thread has had nothing to do for long, and its inbox is asleep. True: the engine has no thread from
    /// here on; once this one has let go of all it has, it says so ([`Engine::rest`]).
    pub(super) fn leave(&self) -> bool {
        if self.stays.load(Ordering::Relaxed)
            || self.state.compare_exchange(SERVING, LEAVING, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return false;
        }
        // Nothing of this thread's may be found by its number, which another may get.
        let thread = self.thread.swap(0, Ordering::Relaxed);
        let wants_signal = self.wants_signal.swap(0, Ordering::Relaxed);
        if self.inbox.leave() {
            return true;
        }
        self.wants_signal.store(wants_signal, Ordering::Relaxed);
        self.thread.store(thread, Ordering::Relaxed);
        self.decide(SERVING);
        false
    }

    /// Whether the engine's thread is to leave its ring as soon as nothing is under way there.
    pub(super) fn is_closing(&self) -> bool {
        self.state.load(Ordering::Relaxed) == CLOSING
    }

    /// A thread that has left holds nothing any more: the next may begin.
    pub(super) fn rest(&self) {
        self.decide(RESTING);
    }

    /// How long a thread of it stays that has nothing to do.
    pub(super) fn idle_exit_ms(&self) -> u64 {
        let until = self.hurried_until.load(Ordering::Relaxed);
        if until != 0 && kernel::now() < until { 0 } else { IDLE_EXIT_MS }
    }

    /// When a thread of it ends that has nothing to do from now on.
    pub(super) fn idle_exit(&self) -> Deadline {
        Deadline::after(Duration::from_millis(self.idle_exit_ms()))
    }

    /// For the engine's thread, when it begins.
    pub(super) fn begin_thread(&self) {
        self.thread.store(kernel::thread_id(), Ordering::Relaxed);
    }

    /// Threads may be forbidden from here on, and those that there are stay: a filter is about to be set.
    pub(super) fn stay(&self) {
        self.stays.store(true, Ordering::Relaxed);
    }
}
