//! The engines: one thread with an io_uring, and worker threads that make plain system calls; and the door to both.
//!
//! A face makes an [`Operation`] and submits it to the engine that the router has chosen. A thread of the engine's calls the
//! operation's [`Finish`] when it is done. The engines know nothing of aiocbs, iocbs or signals.
//!
//! io_uring serves the files for which it is known to answer as `pread` and `pwrite` do; the workers serve everything else,
//! and everything where io_uring cannot be had. Threads start when they are first needed, and end when there is nothing to do
//! ([`lifecycle`]).

mod cancel;
pub mod cq_pop;
mod device;
pub mod device_times;
mod failover;
mod fixed_files;
pub mod inbox;
mod lifecycle;
mod operation;
mod order;
mod outstanding;
mod queue;
pub mod raw_ring;
mod reactor;
mod sleep_policy;
#[cfg(test)]
mod tests;
mod uring;
mod wake_batch;
mod workers;

use core::ffi::{c_int, c_void};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, Ordering, fence};
use core::time::Duration;

pub use cancel::{Matcher, Outcome};
pub use failover::close_uring;
pub use operation::{Finish, Kind, MAX_RW_BYTES, Operation, Order};
pub use wake_batch::WakeBatch;

use crate::host::futex::{self, Deadline};
use crate::host::kernel::{self, Errno, syscall};
use crate::host::process::PerProcess;
use crate::host::settings::{self, EngineChoice};
use crate::host::{descriptors, log, memory, thread};
use crate::stats::{self, ServedBy};
use cancel::Commands;
use inbox::{Inbox, Node, Pushed};
use lifecycle::{NEW, STARTING, UNAVAILABLE};
use reactor::{End, Reactor};
use uring::Uring;

// SAFETY: the link is a field, and operations are aligned to 8.
unsafe impl Node for Operation {
    fn link(&self) -> &AtomicPtr<Self> {
        &self.link
    }
}

static URING: PerProcess<Engine> = PerProcess::new(0);
static WORKERS: PerProcess<Engine> = PerProcess::new(3);

/// How long a call of the program's waits for an engine's thread at the longest, before it goes on without an answer.
const ENGINE_WAIT_MS: u64 = 2_000;

/// The pause between two looks at a condition that no thread wakes for.
const SETTLE_TICK: Duration = Duration::from_millis(10);

/// What carries operations out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// io_uring.
    Uring,
    /// Worker threads and plain system calls.
    Workers,
}

/// One engine of the process.
pub struct Engine {
    carrier: Carrier,
    /// See [`lifecycle`].
    state: AtomicU32,
    inbox: Inbox<Operation>,
    commands: Commands,
    /// The thread that runs the reactor now, 0 for none. Relaxed: that thread reads what it wrote, and any other finds a
    /// number that is not its own.
    thread: AtomicI32,
    /// Counts notifications. The engine's threads sleep on it.
    doorbell: AtomicU32,
    /// The thread that has to be sent a signal with each notification; 0 for none.
    wants_signal: AtomicI32,
    /// The process that this thread is of: not that of a child of `vfork`, which may notify as well.
    process: AtomicI32,
    /// Whether its threads stay although they have nothing to do.
    stays: AtomicBool,
    /// Counts the reactor's turns: all that was taken in one has reached the kernel when the next begins.
    turns: AtomicU32,
    /// A thread sleeps on `turns`.
    turn_awaited: AtomicU32,
}

/// The engines of this process. To have this means that one of them takes operations.
#[derive(Clone, Copy)]
pub struct Engines(());

/// Starts what serves this process, at the first call; nothing where the system's own implementation has to serve, for
/// good.
///
/// # Errors
/// `EAGAIN`: there is no memory to begin with; nothing is decided yet.
#[inline]
pub fn get() -> Result<Option<Engines>, Errno> {
    if URING.get().is_some_and(Engine::is_available) {
        return Ok(Some(Engines(())));
    }
    start()
}

#[cold]
fn start() -> Result<Option<Engines>, Errno> {
    descriptors::settle_by(settle_all, drain_all);
    let serves = match settings::get().engine {
        EngineChoice::System => false,
        EngineChoice::Threads => engine_of(Carrier::Workers)?.serve(),
        EngineChoice::Uring => engine_of(Carrier::Uring)?.serve(),
        EngineChoice::Auto => engine_of(Carrier::Uring)?.serve() || engine_of(Carrier::Workers)?.serve(),
    };
    if serves {
        return Ok(Some(Engines(())));
    }
    // What no thread could be had for is not tried again: the program has contexts of the system's from here on.
    for engine in [&URING, &WORKERS].into_iter().filter_map(PerProcess::get) {
        let _ = engine.state.compare_exchange(NEW, UNAVAILABLE, Ordering::Relaxed, Ordering::Relaxed);
    }
    if stats::serves() != ServedBy::System as c_int || !stats::has_begun() {
        stats::begin(ServedBy::System);
        if settings::get().engine == EngineChoice::System {
            log::log(format_args!("the system's own AIO serves: URINGAIO_ENGINE=system"));
        }
    }
    Ok(None)
}

fn engine_of(carrier: Carrier) -> Result<&'static Engine, Errno> {
    let place = match carrier {
        Carrier::Uring => &URING,
        Carrier::Workers => &WORKERS,
    };
    place.get_or_init(|| memory::boxed(Engine::new(carrier))).map_err(|_| Errno(libc::EAGAIN))
}

fn available(place: &PerProcess<Engine>) -> Option<&'static Engine> {
    place.get().filter(|engine| engine.is_available())
}

/// The engines that have a thread now: the others have nothing outstanding. Async-signal-safe.
pub fn running() -> impl Iterator<Item = &'static Engine> {
    [&URING, &WORKERS].into_iter().filter_map(PerProcess::get).filter(|engine| engine.has_thread())
}

/// Whether this process has tried to start the engines and found that the system's own implementation has to serve.
/// Async-signal-safe.
#[must_use]
pub fn stands_aside() -> bool {
    stats::has_begun() && started().is_none()
}

#[allow(clippy::unused_self, reason = "having it says that an engine serves")]
impl Engines {
    /// The engine on io_uring, if it serves, with a thread.
    #[inline]
    #[must_use]
    pub fn uring(self) -> Option<&'static Engine> {
        available(&URING).filter(|engine| engine.has_thread() || engine.serve())
    }

    /// The engine of worker threads, with a thread.
    ///
    /// # Errors
    /// `EAGAIN`: no thread or memory can be had.
    #[inline]
    pub fn workers(self) -> Result<&'static Engine, Errno> {
        match WORKERS.get().filter(|engine| engine.has_thread()) {
            Some(engine) => Ok(engine),
            None => engine_of(Carrier::Workers).ok().filter(|engine| engine.serve()).ok_or(Errno(libc::EAGAIN)),
        }
    }

    /// The engine on io_uring where it serves, or else the workers.
    ///
    /// # Errors
    /// `EAGAIN`: no thread or memory can be had.
    #[inline]
    pub fn uring_or_workers(self) -> Result<&'static Engine, Errno> {
        self.uring().map_or_else(|| self.workers(), Ok)
    }

    /// Stops what is outstanding and meant, in every engine. Returns when it is known of each how it went, or an engine's
    /// thread does not answer.
    #[must_use]
    pub fn cancel(self, matcher: Matcher) -> Outcome {
        running().fold(Outcome::default(), |all, engine| all.and(engine.cancel(matcher)))
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
    available(&URING).or_else(|| available(&WORKERS)).map(|_| Engines(()))
}

/// Returns when the kernel has the file of everything that was submitted before, or the engine's table has it.
fn settle_all() {
    running().for_each(Engine::settle);
}

/// Returns when no operation that was submitted before with descriptor `fd` is under way.
fn drain_all(fd: c_int) {
    fn is_on(operation: &Operation, arguments: &[usize; 3]) -> bool {
        operation.fd as usize == arguments[0]
    }
    let matcher = Matcher { test: is_on, arguments: [fd as usize, 0, 0] };
    let deadline = Deadline::after(Duration::from_millis(ENGINE_WAIT_MS));
    for engine in running() {
        while engine.count(matcher) > 0 && !deadline.is_over() {
            futex::sleep_50us();
        }
    }
}

/// How long a process that ends waits for what io_uring is at work on: as long as a disk may take.
const EXIT_WAIT_MS: u64 = 1_000;

/// Returns when nothing is with io_uring: for a process that ends. The kernel takes a ring apart after the process has been
/// waited for, and holds the files of its requests as long. Async-signal-safe.
pub fn await_uring_idle() {
    let Some(engine) = URING.get().filter(|engine| engine.has_thread()) else { return };
    if engine.process.load(Ordering::Relaxed) != kernel::process_id() {
        return;
    }
    let deadline = Deadline::after(Duration::from_millis(EXIT_WAIT_MS));
    let all = Matcher { test: |_, _| true, arguments: [0; 3] };
    while engine.count(all) > 0 && !deadline.is_over() {
        futex::sleep_50us();
    }
}

impl Engine {
    fn new(carrier: Carrier) -> Self {
        Self {
            carrier,
            state: AtomicU32::new(NEW),
            inbox: Inbox::without_thread(),
            commands: Commands::new(),
            thread: AtomicI32::new(0),
            doorbell: AtomicU32::new(0),
            wants_signal: AtomicI32::new(0),
            process: AtomicI32::new(0),
            stays: AtomicBool::new(false),
            turns: AtomicU32::new(0),
            turn_awaited: AtomicU32::new(0),
        }
    }

    /// What carries operations out.
    #[must_use]
    pub const fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// Submits an operation. Allocates nothing and takes no lock, unless a thread has to be started.
    ///
    /// # Safety
    /// The operation, and what it points to, stay valid and untouched until its [`Finish`] is called. (Buffers that the
    /// program unmaps meanwhile lead to `-EFAULT` or to bytes in whatever is mapped there by then, as with any system
    /// call.)
    #[inline]
    pub unsafe fn submit(&'static self, operation: NonNull<Operation>) {
        // SAFETY: the caller's promise.
        unsafe { self.submit_chain(operation, operation) };
    }

    /// Submits a chain of operations at once; see [`chain`].
    ///
    /// # Safety
    /// As for [`Engine::submit`], for each.
    pub unsafe fn submit_chain(&'static self, newest: NonNull<Operation>, oldest: NonNull<Operation>) {
        let stamp = stats::stamp();
        if stamp != 0 {
            // SAFETY: the caller's promise.
            unsafe { stamp_chain(newest, oldest, stamp) };
        }
        // SAFETY: the caller's promise.
        while !unsafe { self.push(newest, oldest) } {
            // The thread has gone home since the caller asked for the engine.
            if !self.serve() {
                // SAFETY: the caller's promise; nothing was pushed.
                return unsafe { self.divert(newest, oldest) };
            }
        }
    }

    /// Pushes a chain, and notifies the thread. False: there is none, and nothing was pushed.
    ///
    /// # Safety
    /// As for [`Engine::submit`], for each.
    #[inline]
    unsafe fn push(&self, newest: NonNull<Operation>, oldest: NonNull<Operation>) -> bool {
        // SAFETY: the caller's promise.
        match unsafe { self.inbox.push(newest, oldest) } {
            Pushed::Seen => {}
            Pushed::MustNotify => {
                stats::doorbell_notified();
                self.notify();
                self.inbox.notified(newest);
            }
            Pushed::Gone => return false,
        }
        true
    }

    /// No thread of this engine can be had: the workers serve instead of io_uring, and where they cannot either, the
    /// operations end with `EAGAIN`, in the calling thread.
    ///
    /// # Safety
    /// As for [`Engine::submit`], for each.
    #[cold]
    unsafe fn divert(&self, newest: NonNull<Operation>, oldest: NonNull<Operation>) {
        if self.carrier == Carrier::Uring
            && let Some(workers) = started().and_then(|engines| engines.workers().ok())
        {
            // SAFETY: the caller's promise.
            return unsafe { workers.submit_chain(newest, oldest) };
        }
        // SAFETY: the caller's promise. Relaxed: the chain is this thread's.
        unsafe { oldest.as_ref() }.link.store(ptr::null_mut(), Ordering::Relaxed);
        let mut wakes = WakeBatch::new();
        // SAFETY: as above.
        let mut next = unsafe { inbox::oldest_first(newest.as_ptr()) };
        while let Some(operation) = next {
            // SAFETY: as above; what is finished is not touched again.
            unsafe {
                next = inbox::next(operation);
                let is_nop = operation.as_ref().kind == Kind::Nop;
                let result = if is_nop { 0 } else { Errno(libc::EAGAIN).negated() };
                (operation.as_ref().finish)(operation, result, &mut wakes);
            }
        }
        wakes.wake_now();
    }

    /// Wakes the engine's thread.
    fn notify(&self) {
        // Pairs with the Release of the sleeper's mark, which the push has seen: it is the thread that sleeps now.
        fence(Ordering::Acquire);
        let thread = self.wants_signal.load(Ordering::Relaxed);
        if thread != 0 {
            let process = self.process.load(Ordering::Relaxed);
            // SAFETY: a signal that is blocked in that thread.
            let _ = unsafe { syscall!(libc::SYS_tgkill, process, thread, uring::DOORBELL_SIGNAL) };
        }
        // Release pairs with the Acquire before the thread sleeps.
        self.doorbell.fetch_add(1, Ordering::Release);
        futex::wake(&raw const self.doorbell, 1);
    }

    /// Wakes the engine's thread for what a submitter pushed and was kept from notifying of: a signal handler left its call.
    pub fn notify_if_missed(&self) {
        if self.inbox.is_unnotified() {
            self.notify();
        }
    }

    /// Returns when everything that was submitted before has reached the kernel by its own reference, or the engine's own
    /// descriptor table: the program may close the descriptor, reuse its number, or change its flags. One load where nothing
    /// is on its way. The wait is for a count that outlives the caller, who may leave it by a jump; it has an end.
    pub fn settle(&self) {
        if self.inbox.is_settled() || self.thread.load(Ordering::Relaxed) == kernel::thread_id() {
            return;
        }
        let deadline = Deadline::after(Duration::from_millis(ENGINE_WAIT_MS));
        // Acquire pairs with the Release of `end_turn`.
        let first = self.turns.load(Ordering::Acquire);
        loop {
            let now = self.turns.load(Ordering::Acquire);
            // What was submitted before is taken at the latest in the next turn.
            if self.inbox.is_settled() || now.wrapping_sub(first) >= 2 || deadline.is_over() {
                return;
            }
            self.notify_if_missed();
            // SeqCst pairs with `end_turn`: either it sees this, or we see the turn.
            self.turn_awaited.store(1, Ordering::SeqCst);
            if self.turns.load(Ordering::SeqCst) == now {
                let _ = futex::wait(&self.turns, now, deadline.sooner(Deadline::after(SETTLE_TICK)));
            }
        }
    }

    /// The engine's thread: all that it has taken has reached the kernel.
    fn end_turn(&self) {
        self.turns.fetch_add(1, Ordering::SeqCst);
        if self.turn_awaited.load(Ordering::SeqCst) != 0 {
            self.turn_awaited.store(0, Ordering::SeqCst);
            futex::wake_all(&raw const self.turns);
        }
    }

    /// Stops what is outstanding and meant. Returns when it is known of each how it went, or the engine's thread does not
    /// answer.
    #[must_use]
    pub fn cancel(&self, matcher: Matcher) -> Outcome {
        self.command(matcher, true)
    }

    /// How many operations that are meant are outstanding. They go on.
    #[must_use]
    pub fn count(&self, matcher: Matcher) -> u32 {
        self.command(matcher, false).refused
    }

    fn command(&self, matcher: Matcher, stops: bool) -> Outcome {
        if self.thread.load(Ordering::Relaxed) == kernel::thread_id() {
            return Outcome::default();
        }
        let Some(command) = self.commands.take(matcher, stops) else { return Outcome::default() };
        let operation = command.operation();
        // SAFETY: a command is in memory that is never freed, and stays untouched until it is answered.
        if unsafe { self.push(operation, operation) } {
            return command.wait(Deadline::after(Duration::from_millis(ENGINE_WAIT_MS)));
        }
        // Without a thread there is nothing outstanding.
        command.put_back();
        Outcome::default()
    }
}

/// Links `newer` behind `older`, for [`Engine::submit_chain`].
///
/// # Safety
/// Both are valid, and not submitted yet.
pub unsafe fn chain(older: NonNull<Operation>, newer: NonNull<Operation>) {
    // SAFETY: the caller's promise. Relaxed: the push publishes.
    unsafe { newer.as_ref() }.link.store(older.as_ptr(), Ordering::Relaxed);
}

/// Notes when the operations of a chain were submitted.
///
/// # Safety
/// As for [`Engine::submit_chain`].
#[cold]
unsafe fn stamp_chain(newest: NonNull<Operation>, oldest: NonNull<Operation>, stamp: u64) {
    let mut operation = newest;
    loop {
        // SAFETY: the caller's promise: they are valid, and linked from the newest to the oldest.
        let this = unsafe { operation.as_mut() };
        this.stamp = stamp;
        match NonNull::new(this.link.load(Ordering::Relaxed)) {
            Some(older) if operation != oldest => operation = older,
            _ => return,
        }
    }
}

/// Starts the thread of the engine on io_uring, or the first threads of the workers. Runs on a thread that has the program's
/// descriptors.
fn start_threads(engine: &'static Engine) -> Result<(), Errno> {
    match engine.carrier {
        Carrier::Uring => thread::start(serve_by_uring, ptr::from_ref(engine).cast_mut().cast()),
        Carrier::Workers => workers::crew::start(engine),
    }
}

extern "C" fn serve_by_uring(engine: *mut c_void) -> *mut c_void {
    // SAFETY: `start_threads` passed the engine, which lives as long as the process.
    serve_with_ring(unsafe { &*engine.cast::<Engine>() });
    ptr::null_mut()
}

fn serve_with_ring(engine: &'static Engine) {
    engine.begin_thread();
    let is_first = engine.state.load(Ordering::Relaxed) == STARTING;
    if !is_first {
        // The submitter need not wait for the ring.
        engine.begin_serving();
    }
    match Uring::new(&engine.doorbell) {
        Ok(device) => {
            engine.process.store(kernel::process_id(), Ordering::Relaxed);
            engine.wants_signal.store(device.wants_signal().unwrap_or(0), Ordering::Relaxed);
            if is_first {
                log::log(format_args!("io_uring serves"));
                stats::begin(ServedBy::Uring);
                engine.begin_serving();
            }
            let mut reactor = Reactor::new(engine, device);
            match reactor.run() {
                End::Idle => {
                    // The ring ends with its thread, and so do the kernel's workers for it.
                    drop(reactor);
                    engine.rest();
                }
                End::Closed => failover::after(engine, reactor),
            }
        }
        Err(refused) => {
            let who = match settings::get().engine {
                EngineChoice::Uring => "the system's own AIO serves",
                _ => "worker threads serve",
            };
            log::log(format_args!("{who}: {refused}"));
            engine.decide(UNAVAILABLE);
            if !is_first {
                failover::forward(engine);
            }
        }
    }
}
