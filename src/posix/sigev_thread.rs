//! `SIGEV_THREAD`: calling the program's notification functions, each as if in a new thread, with its attributes.
//!
//! Functions without attributes run on pooled threads; a function with attributes gets a thread of its own that has them.
//! One more thread, the *manager*, makes sure that there are enough: when a function has waited for a millisecond because
//! all threads are busy (functions may block, for ever if they like), it starts another. The manager also sends signals
//! that had no room in the queue. No thread exists before it is needed, and all end when there is nothing to do.

use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use crossbeam_queue::SegQueue;

use super::request::RequestPtr;
use super::sigevent::SigEvent;
use super::{cancellation, request_pool, sigev_signal};
use crate::host::fork::PerProcess;
use crate::host::futex::{self, Deadline};
use crate::host::kernel::{self, Errno};
use crate::host::lock::{Guard, Lock};
use crate::host::on_demand_thread::OnDemandThread;
use crate::host::thread_exit_hook::{self, ThreadExitHook};
use crate::host::{memory, thread, thread_identity};
use crate::stats;

/// How long a function may wait for a thread before another is started.
const MAX_WAIT_NS: u64 = 1_000_000;

/// Threads beyond which no more are started while the present ones make progress, if slowly. Threads that make none are not
/// limited: functions may block.
const MAX_SLOW_WORKERS: usize = 64;

/// A pooled thread that was not needed for so long ends.
const IDLE_EXIT: Duration = Duration::from_secs(1);

/// The same of a thread that has data of the program's. A runtime that knows it by them may wait as long for it to answer a signal.
const IDLE_EXIT_WITH_DATA: Duration = Duration::from_millis(1);

/// The longest pause between two attempts to send a signal, or to start a thread.
const MAX_PAUSE_NS: u64 = 64_000_000;

/// A request in a queue, which owns it (request-is-owned).
struct Queued(RequestPtr);

// SAFETY: request-is-owned: it passes from thread to thread with the queue's entry.
unsafe impl Send for Queued {}

type Fifo = SegQueue<Queued>;

struct State {
    /// Functions without attributes, for the pooled threads.
    plain: Fifo,
    /// Functions with attributes.
    with_attributes: Fifo,
    /// Signals that had no room.
    signals: Fifo,
    /// Pooled threads that sleep.
    idle: usize,
    /// Pooled threads that exist or are being started.
    workers: usize,
    /// Requests that were ever queued, and functions that were ever taken by a pooled thread.
    queued: u64,
    taken: u64,
    /// The manager is awake and looks after the queues.
    is_managed: bool,
}

impl State {
    /// Whether functions wait that no idle thread will take.
    fn is_short_of_workers(&self) -> bool {
        self.plain.len() > self.idle
    }

    fn needs_manager(&self) -> bool {
        self.is_short_of_workers() || !self.with_attributes.is_empty() || !self.signals.is_empty()
    }
}

struct CallbackPool {
    state: Lock<State>,
    /// Pooled threads sleep on it; counts requests queued.
    worker_word: AtomicU32,
    manager: OnDemandThread,
}

static POOL: PerProcess<CallbackPool> = PerProcess::new(8);

/// Makes sure that functions can be called, before a request begins that asks for a callback.
///
/// # Errors
/// `EAGAIN`: threads or memory are out.
pub fn prepare() -> Result<(), Errno> {
    let pool = POOL.get_or_init(|| memory::boxed(CallbackPool::new())).map_err(|_| Errno(libc::EAGAIN))?;
    pool.manager.start(pool.argument())
}

/// Has the function of a request called, by a thread of its own or a pooled one. For the engine's thread: does not block.
pub fn call(request: RequestPtr) {
    // SAFETY: request-is-owned, by the caller, until it is in a queue.
    let has_attributes = unsafe { request.as_ref() }.sigevent.attributes != 0;
    queue(request, if has_attributes { |state| &state.with_attributes } else { |state| &state.plain });
}

/// Has the signal of a request sent when there is room.
pub fn send_signal_later(request: RequestPtr) {
    queue(request, |state| &state.signals);
}

fn queue(request: RequestPtr, fifo: fn(&State) -> &Fifo) {
    if let Ok(pool) = POOL.get_or_init(|| memory::boxed(CallbackPool::new())) {
        pool.queue(request, fifo);
    }
}

impl CallbackPool {
    const fn new() -> Self {
        Self {
            state: Lock::new(State {
                plain: Fifo::new(),
                with_attributes: Fifo::new(),
                signals: Fifo::new(),
                idle: 0,
                workers: 0,
                queued: 0,
                taken: 0,
                is_managed: false,
            }),
            worker_word: AtomicU32::new(0),
            manager: OnDemandThread::new(manage),
        }
    }

    /// The lock is held for a few instructions at a time, never while a function of the program runs.
    fn state(&self) -> Guard<'_, State> {
        self.state.lock()
    }

    /// What the pool's threads are given.
    fn argument(&'static self) -> *mut c_void {
        ptr::from_ref(self).cast_mut().cast()
    }

    fn queue(&'static self, request: RequestPtr, fifo: fn(&State) -> &Fifo) {
        let mut state = self.state();
        fifo(&state).push(Queued(request));
        state.queued += 1;
        let has_idle = state.idle > 0;
        let must_call = state.needs_manager() && !state.is_managed;
        state.is_managed |= must_call;
        drop(state);
        if has_idle {
            // Release pairs with the Acquire in `next`.
            self.worker_word.fetch_add(1, Ordering::Release);
            futex::wake(&raw const self.worker_word, 1);
        }
        if must_call {
            self.manager.call(self.argument());
        }
    }

    /// The next function for a pooled thread; none when the thread was not needed for as long as `idle_exit` says. Then it counts no
    /// more.
    fn next(&self, idle_exit: impl Fn() -> Duration) -> Option<RequestPtr> {
        let mut state = self.state();
        loop {
            if let Some(Queued(request)) = state.plain.pop() {
                state.taken += 1;
                return Some(request);
            }
            // Acquire pairs with the Release in `queue`.
            let seen = self.worker_word.load(Ordering::Acquire);
            state.idle += 1;
            drop(state);
            let waited = futex::wait(&self.worker_word, seen, Deadline::after(idle_exit()));
            state = self.state();
            state.idle -= 1;
            if waited == Err(Errno(libc::ETIMEDOUT)) && state.plain.is_empty() {
                state.workers -= 1;
                drop(state);
                WORKER.clear();
                return None;
            }
        }
    }
}

// --- The manager ------------------------------------------------------------------------------------------------------

/// What the manager knows of the pool's progress.
struct Progress {
    /// When to look again, in nanoseconds of `CLOCK_MONOTONIC`; 0: functions have not begun to wait.
    look_at: u64,
    /// Requests queued and functions taken at the last look.
    queued: u64,
    taken: u64,
    /// How many threads to start at once.
    step: usize,
    /// The pause before the next attempt at what failed, in nanoseconds.
    pause_ns: u64,
    /// The signal to be sent next, which had no room.
    unsent: Option<RequestPtr>,
}

impl Progress {
    fn note(&mut self, state: &State, now: u64) {
        (self.look_at, self.queued, self.taken) = (now + MAX_WAIT_NS / 2, state.queued, state.taken);
    }
}

extern "C" fn manage(pool: *mut c_void) -> *mut c_void {
    thread::set_name(c"uringaio-manage");
    // SAFETY: started with the pool, which lives as long as the process.
    let pool = unsafe { &*pool.cast::<CallbackPool>() };
    let mut progress = Progress { look_at: 0, queued: 0, taken: 0, step: 1, pause_ns: MAX_WAIT_NS, unsent: None };
    loop {
        let seen = pool.manager.calls();
        let has_started = start_threads_with_attributes(pool);
        let has_sent = send_signals(pool, &mut progress);
        let has_grown = start_workers(pool, &mut progress);
        let has_failed = !(has_started && has_sent && has_grown);
        progress.pause_ns = if has_failed { (progress.pause_ns * 2).min(MAX_PAUSE_NS) } else { MAX_WAIT_NS };
        let mut state = pool.state();
        let is_needed = state.needs_manager() || progress.unsent.is_some();
        state.is_managed = is_needed;
        drop(state);
        let pause = is_needed.then(|| Deadline::after(Duration::from_nanos(progress.pause_ns)));
        if pool.manager.sleep(seen, pause) {
            return ptr::null_mut();
        }
    }
}

/// Starts the threads of functions that have attributes. False: one has to wait.
fn start_threads_with_attributes(pool: &'static CallbackPool) -> bool {
    loop {
        let Some(Queued(request)) = pool.state().with_attributes.pop() else { return true };
        // SAFETY: request-is-owned, by the thread that took it from the queue.
        let attributes = unsafe { request.as_ref() }.sigevent.attributes as *const libc::pthread_attr_t;
        let mut thread = 0;
        // SAFETY: the program's attributes, which it keeps until the notification; the new thread owns the request.
        match unsafe { libc::pthread_create(&raw mut thread, attributes, run_alone, request.as_ptr().cast()) } {
            0 => {}
            libc::EAGAIN => {
                pool.state().with_attributes.push(Queued(request));
                return false;
            }
            // Attributes that cannot be used (a scheduling policy without the right to it): better called without than not.
            _ => pool.queue(request, |state| &state.plain),
        }
    }
}

/// Sends signals that had no room, in their order. False: one has to wait.
fn send_signals(pool: &CallbackPool, progress: &mut Progress) -> bool {
    loop {
        let queued = || pool.state().signals.pop().map(|Queued(request)| request);
        let Some(request) = progress.unsent.take().or_else(queued) else { return true };
        // SAFETY: request-is-owned, by the thread that took it from the queue.
        let sigevent = unsafe { request.as_ref() }.sigevent;
        if sigev_signal::send(&sigevent) == Err(Errno(libc::EAGAIN)) {
            progress.unsent = Some(request);
            return false;
        }
        // SAFETY: request-is-owned, as above.
        unsafe { request_pool::put(request) };
    }
}

/// Starts pooled threads where functions wait for one. False: one could not be started.
fn start_workers(pool: &'static CallbackPool, progress: &mut Progress) -> bool {
    let now = kernel::now();
    let mut state = pool.state();
    if !state.is_short_of_workers() {
        progress.look_at = 0;
        return true;
    }
    let wanted = if state.workers == 0 {
        1
    } else if progress.look_at == 0 {
        progress.note(&state, now);
        progress.step = 1;
        return true;
    } else if now < progress.look_at {
        return true;
    } else {
        let is_stuck = state.taken == progress.taken;
        let is_slow = state.taken < progress.queued;
        progress.step = if is_stuck { progress.step.saturating_mul(2) } else { 1 };
        match (is_stuck, is_slow) {
            (true, _) => progress.step.min(state.plain.len() - state.idle),
            (false, true) if state.workers < MAX_SLOW_WORKERS => 1,
            _ => 0,
        }
    };
    progress.note(&state, now);
    state.workers += wanted;
    drop(state);
    for started in 0..wanted {
        if start_worker(pool).is_err() {
            pool.state().workers -= wanted - started;
            return false;
        }
    }
    true
}

// --- Threads that call functions --------------------------------------------------------------------------------------

/// Starts a pooled thread, with the program's default attributes, detached. Every signal is blocked in it, as in the manager.
fn start_worker(pool: &'static CallbackPool) -> Result<(), Errno> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: the attributes are initialised first and destroyed last; the pool lives as long as the process.
    let error = unsafe {
        if libc::pthread_attr_init(attributes) != 0 {
            return Err(Errno(libc::ENOMEM));
        }
        libc::pthread_attr_setdetachstate(attributes, libc::PTHREAD_CREATE_DETACHED);
        let mut thread = 0;
        let error = libc::pthread_create(&raw mut thread, attributes, work, pool.argument());
        libc::pthread_attr_destroy(attributes);
        error
    };
    if error == 0 { Ok(()) } else { Err(Errno(error)) }
}

/// Takes a thread off the pool's count when it ends, even by `pthread_exit` in a function of the program's.
static WORKER: ThreadExitHook = ThreadExitHook::new(worker_ends);

unsafe extern "C" fn worker_ends(pool: *mut c_void) {
    // In a forked child the thread that was a worker of the parent's is none of the child's.
    let Some(pool) = POOL.get().filter(|own| ptr::from_ref(*own).cast() == pool.cast_const()) else { return };
    let mask = thread::block_all_signals();
    let mut state = pool.state();
    state.workers -= 1;
    let must_call = state.is_short_of_workers() && !state.is_managed;
    state.is_managed |= must_call;
    drop(state);
    if must_call {
        pool.manager.call(pool.argument());
    }
    thread::restore_signals(mask);
}

extern "C" fn work(pool: *mut c_void) -> *mut c_void {
    WORKER.set(pool);
    thread::set_name(c"uringaio-call");
    // SAFETY: `start_worker` passed the pool, which lives as long as the process.
    let pool = unsafe { &*pool.cast::<CallbackPool>() };
    // The mask that the program's last function left, if one ran.
    let mut mask = None;
    let idle_exit = |has_called| {
        if has_called && thread_exit_hook::has_data_of_program() { IDLE_EXIT_WITH_DATA } else { IDLE_EXIT }
    };
    while let Some(request) = pool.next(|| idle_exit(mask.is_some())) {
        run(take_sigevent(request));
        // The next function finds the thread as a new one would be. Between functions, every signal is blocked.
        mask = Some(thread::block_all_signals());
        if !may_run_another(pool) {
            break;
        }
        cancellation::reset();
    }
    // The program's destructors run with the mask that they would find where the function was the thread's last. A runtime that
    // stops its threads by signals (Mono) waits until each has answered that the thread's destructor has not taken off its list:
    // so a thread with data of the program's does not wait long for functions, either.
    if let Some(mask) = mask {
        thread::restore_signals(mask);
    }
    ptr::null_mut()
}

/// Whether a pooled thread that has run a function may run others: not if it has descriptors or rights of its own since, and not
/// in a child that the function forked. That one has a copy of the queue, which is the parent's, and ends with its only thread.
fn may_run_another(pool: &CallbackPool) -> bool {
    POOL.get().is_some_and(|own| ptr::eq(own, pool)) && !thread_identity::is_separate()
}

extern "C" fn run_alone(request: *mut c_void) -> *mut c_void {
    if let Some(request) = RequestPtr::new(request.cast()) {
        run(take_sigevent(request));
    }
    ptr::null_mut()
}

/// What a request asks for. The request itself is recycled.
fn take_sigevent(request: RequestPtr) -> SigEvent {
    // SAFETY: request-is-owned, by the thread that took it from the queue.
    unsafe {
        let sigevent = request.as_ref().sigevent;
        request_pool::put(request);
        sigevent
    }
}

/// Calls the program's function with no signal blocked, as glibc does, whatever the program's own threads block. The
/// function need not return (`pthread_exit`): nothing here would have to be done then.
fn run(sigevent: SigEvent) {
    if sigevent.target == 0 {
        return;
    }
    stats::notified(stats::Notification::Callback, 1);
    thread::restore_signals(0);
    // SAFETY: the program's function, which takes a `union sigval`: one word, passed as an integer is.
    unsafe {
        let function = core::mem::transmute::<usize, unsafe extern "C" fn(usize)>(sigevent.target);
        function(sigevent.value);
    }
}
