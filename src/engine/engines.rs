//! Both engines of a process: which there are, and what is asked of both.

use core::ffi::c_int;
use core::time::Duration;

use super::cancel::{Matcher, Outcome};
use super::lifecycle::{Carrier, ENGINE_WAIT_MS, Engine, StartThreads};
use super::operation::Operation;
use crate::host::fork::PerProcess;
use crate::host::futex::{self, Deadline};
use crate::host::kernel::Errno;
use crate::host::memory;
use crate::host::settings::{self, EngineChoice};
use crate::stats::Face;

static URING: PerProcess<Engine> = PerProcess::new(0);
static WORKERS: PerProcess<Engine> = PerProcess::new(3);

/// The engines of this process. To have this means that one of them takes operations, or that the caller has none for them.
#[derive(Clone, Copy)]
pub struct Engines(());

/// The engine of this kind, made by the first call.
///
/// # Errors
/// `EAGAIN`: there is no memory.
pub fn make(carrier: Carrier, start_threads: StartThreads) -> Result<&'static Engine, Errno> {
    let place = match carrier {
        Carrier::Uring => &URING,
        Carrier::Workers => &WORKERS,
    };
    let make = || {
        let engine = Engine::new(carrier, start_threads);
        // What is outstanding must be found and stopped also when memory is out.
        engine.commands.reserve().ok_or(Errno(libc::ENOMEM))?;
        memory::boxed(engine)
    };
    place.get_or_init(make).map_err(|_| Errno(libc::EAGAIN))
}

/// The engines that were made.
pub fn all() -> impl Iterator<Item = &'static Engine> {
    [&URING, &WORKERS].into_iter().filter_map(PerProcess::get)
}

/// The engine on io_uring, whatever its state.
pub fn uring() -> Option<&'static Engine> {
    URING.get()
}

/// Whether io_uring serves.
#[inline]
pub fn uring_serves() -> bool {
    URING.get().is_some_and(Engine::is_available)
}

/// Whether the workers serve, with a thread, and io_uring never will.
#[inline]
pub fn workers_serve_alone() -> bool {
    WORKERS.get().is_some_and(Engine::has_thread) && URING.get().is_none_or(Engine::is_lost)
}

/// The engine of worker threads, with a thread; none where no thread can be started.
#[inline]
pub fn workers() -> Option<&'static Engine> {
    WORKERS.get().filter(|engine| engine.has_thread() || engine.serve())
}

/// The engines that may have something outstanding, also those that are about to end: io_uring's comes first, because from
/// there operations go to the workers, and not back. Async-signal-safe.
pub fn running() -> impl Iterator<Item = &'static Engine> {
    all().filter(|engine| engine.inbox.has_taker())
}

/// Whether the system's own implementation serves, for good: no engine does, and none will. An engine that has no thread
/// now may get one later. Async-signal-safe.
#[must_use]
pub fn stands_aside() -> bool {
    let is_lost = |engine: &PerProcess<Engine>| engine.get().is_some_and(Engine::is_lost);
    started().is_none()
        && match settings::get().engine {
            EngineChoice::Auto => is_lost(&URING) && is_lost(&WORKERS),
            EngineChoice::Uring => is_lost(&URING),
            EngineChoice::Threads => is_lost(&WORKERS),
            EngineChoice::System => true,
        }
}

#[allow(clippy::unused_self, reason = "having it says that the engines may be asked")]
impl Engines {
    /// The engine on io_uring, if it serves, with a thread.
    #[inline]
    #[must_use]
    pub fn uring(self) -> Option<&'static Engine> {
        URING.get().filter(|engine| engine.is_available() && (engine.has_thread() || engine.serve()))
    }

    /// The engine of worker threads, with a thread.
    ///
    /// # Errors
    /// `EAGAIN`: threads or memory are out.
    #[inline]
    pub fn workers(self) -> Result<&'static Engine, Errno> {
        workers().ok_or(Errno(libc::EAGAIN))
    }

    /// The engine on io_uring where it serves, or else the workers.
    ///
    /// # Errors
    /// `EAGAIN`: threads or memory are out.
    #[inline]
    pub fn uring_or_workers(self) -> Result<&'static Engine, Errno> {
        self.uring().or_else(workers).ok_or(Errno(libc::EAGAIN))
    }

    /// Sees to it that there is a worker for what io_uring may leave to one. It is started here and not by io_uring's thread,
    /// because the C library's memory goes into a new thread: that thread would get an arena of its own (64 MiB where a
    /// program locks its memory) and wait for locks of the program's allocator.
    #[inline]
    pub fn prepare_worker(self, operation: &Operation) {
        if operation.tries_without_waiting() {
            let _ = self.workers();
        }
    }

    /// The engine for an fsync of what io_uring serves, also where that is to wait for what io_uring has: the workers. io_uring
    /// has a thread of the kernel's carry it out, which releases the file a moment after the completion; it serves where no
    /// worker can be started.
    ///
    /// # Errors
    /// `EAGAIN`: no thread or memory can be had.
    #[cfg(not(feature = "libaio-abi"))]
    pub fn for_sync(self) -> Result<&'static Engine, Errno> {
        workers().or_else(|| self.uring()).ok_or(Errno(libc::EAGAIN))
    }

    /// Stops what is outstanding and meant, in every engine. Returns when it is known of each how it went, or an
    /// engine's thread does not answer.
    #[must_use]
    pub fn cancel(self, matcher: Matcher) -> Outcome {
        running().fold(Outcome::default(), |all, engine| all.and(engine.cancel(matcher)))
    }

    /// [`Engines::cancel`], with another error.
    #[cfg(not(feature = "libaio-abi"))]
    #[must_use]
    pub fn stop(self, matcher: Matcher, error: Errno) -> Outcome {
        running().fold(Outcome::default(), |all, engine| all.and(engine.stop(matcher, error)))
    }

    /// Calls the test for every outstanding operation, on the thread that will finish it. Returns when that is done, or an
    /// engine's thread does not answer.
    #[cfg(not(feature = "libaio-abi"))]
    pub fn visit(self, matcher: Matcher) {
        for engine in running() {
            let _ = engine.count(matcher);
        }
    }

    /// How many operations that are meant are outstanding. They go on.
    #[must_use]
    pub fn count(self, matcher: Matcher) -> u32 {
        running().map(|engine| engine.count(matcher)).sum()
    }
}

/// The engines, for a caller that has found them serving before.
#[must_use]
pub fn started() -> Option<Engines> {
    all().find(|engine| engine.is_available() || engine.inbox.has_taker()).map(|_| Engines(()))
}

/// For a thread that does its requests itself ([`thread_identity`](crate::host::thread_identity)): nothing is started, and
/// perhaps nothing serves.
#[cfg(not(feature = "libaio-abi"))]
#[must_use]
pub const fn for_separate_thread() -> Engines {
    Engines(())
}

/// Returns when the kernel has the file of everything that was submitted before, or the engine's table has it.
pub fn settle_all() {
    running().for_each(Engine::settle);
}

/// Returns when no operation that was submitted before with descriptor `fd` is under way.
pub fn drain_all(fd: c_int) {
    fn is_on(operation: &Operation, arguments: &[usize; 3]) -> bool {
        operation.fd as usize == arguments[0]
    }
    let matcher = Matcher { test: is_on, arguments: [fd as usize, 0, 0] };
    let deadline = Deadline::after(Duration::from_millis(ENGINE_WAIT_MS));
    await_none(running(), matcher, deadline);
}

/// Returns when these engines have no operation that is meant, or at the deadline.
pub fn await_none(engines: impl Iterator<Item = &'static Engine>, matcher: Matcher, deadline: Deadline) {
    for engine in engines {
        while engine.count(matcher) > 0 && !deadline.is_over() {
            futex::sleep_50us();
        }
    }
}

/// Returns when no file is open any more that is kept for the program's `fd`, or for any with -1: the program is about
/// to close it.
pub fn let_go(fd: c_int) {
    if let Some(workers) = WORKERS.get().filter(|engine| engine.inbox.has_taker()) {
        workers.let_go(fd);
    }
}

/// How long a process that ends waits for what is under way at most, after the last that has ended: as long as a disk may take.
const EXIT_WAIT_MS: u64 = 1_000;

/// For a process that ends: returns when nothing is with io_uring, whose ring the kernel takes apart after the process has been
/// waited for, and holds the files of its requests as long; and when the workers have written what libaio's callers submitted,
/// which the kernel's AIO would have done in `io_submit`. Async-signal-safe.
pub fn await_last() {
    let written = Matcher { test: |this, _| this.face == Face::Libaio && this.kind.writes(), arguments: [0; 3] };
    for (engine, meant) in [(&URING, Matcher::ALL), (&WORKERS, written)] {
        if let Some(engine) = engine.get().filter(|engine| engine.inbox.has_taker())
            && engine.is_of_this_process()
        {
            await_progress(engine, meant);
        }
    }
}

/// Returns when an engine has no operation that is meant, or none of them has ended for long.
fn await_progress(engine: &'static Engine, meant: Matcher) {
    let mut left = engine.count(meant);
    let mut deadline = Deadline::after(Duration::from_millis(EXIT_WAIT_MS));
    while left > 0 && !deadline.is_over() {
        futex::sleep_50us();
        let now = engine.count(meant);
        if now < left {
            deadline = Deadline::after(Duration::from_millis(EXIT_WAIT_MS));
        }
        left = now;
    }
}
