//! `SIGEV_THREAD`: calling the program's notification functions, each as if in a new thread.
//!
//! Functions without attributes run on a few threads that are used again; a function with attributes gets a thread of its
//! own. One thread, the *keeper*, sees to it that there are enough: when a function has waited for a millisecond because
//! all threads are busy (functions may block, for ever if they like), it starts another. The keeper also sends signals that
//! had no room in the queue. None of them exists before it is needed, and all end when there
//! is nothing to do.

use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::time::Duration;

use crossbeam_queue::SegQueue;

use super::aiocb::SigEvent;
use super::request::{Handle, Request};
use super::{FACE, face, notify};
use crate::host::futex::{self, Deadline};
use crate::host::kernel::{self, Errno};
use crate::host::lock::{Guard, Lock};
use crate::host::thread_exit_hook::ThreadExitHook;
use crate::host::{fd_broker, thread};
use crate::stats;

/// How long a function may wait for a thread before there is one more.
const TICK_NS: u64 = 1_000_000;

/// Threads beyond which there are no more while the present ones get on, if slowly. Those that do not get on are not
/// counted: there is no limit to functions that block.
const MAX_SLOW_WORKERS: usize = 64;

/// A thread that was not needed for so long ends, the keeper too.
const IDLE_EXIT: Duration = Duration::from_secs(1);

/// The longest pause between two attempts to send a signal, or to start a thread.
const MAX_PAUSE_NS: u64 = 64_000_000;

/// A request in one of the queues, which is the queue's alone.
struct Queued(Handle);

// SAFETY: nobody else refers to the request.
unsafe impl Send for Queued {}

type Fifo = SegQueue<Queued>;

struct State {
    /// Functions without attributes, for the threads that are used again.
    calls: Fifo,
    /// Functions with attributes.
    own: Fifo,
    /// Signals that had no room.
    signals: Fifo,
    /// Threads that sleep.
    idle: usize,
    /// Threads that there are, or are being started.
    workers: usize,
    /// Functions that were ever queued and taken.
    queued: u64,
    taken: u64,
    /// The keeper is awake and watches.
    watched: bool,
}

impl State {
    /// Whether functions wait that no idle thread will take.
    fn is_short(&self) -> bool {
        self.calls.len() > self.idle
    }

    fn has_work(&self) -> bool {
        self.is_short() || !self.own.is_empty() || !self.signals.is_empty()
    }
}

/// Where functions are left and picked up.
pub struct CallbackPool {
    state: Lock<State>,
    /// Threads sleep on it; counts functions.
    wake_word: AtomicU32,
    /// The keeper sleeps on it; counts calls for it.
    keeper_word: AtomicU32,
    has_keeper: AtomicBool,
}

impl CallbackPool {
    pub fn new() -> Self {
        Self {
            state: Lock::new(State {
                calls: Fifo::new(),
                own: Fifo::new(),
                signals: Fifo::new(),
                idle: 0,
                workers: 0,
                queued: 0,
                taken: 0,
                watched: false,
            }),
            wake_word: AtomicU32::new(0),
            keeper_word: AtomicU32::new(0),
            has_keeper: AtomicBool::new(false),
        }
    }

    /// The lock is held for a few instructions at a time, never over a call of the program's.
    fn state(&self) -> Guard<'_, State> {
        self.state.lock()
    }

    /// Sees to it that there is a keeper.
    fn prepare(&'static self) -> Result<(), Errno> {
        if self.has_keeper.load(Ordering::SeqCst) || self.has_keeper.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        fd_broker::start_thread(keeper, ptr::from_ref(self).cast_mut().cast()).map_err(|_| {
            self.has_keeper.store(false, Ordering::SeqCst);
            Errno(libc::EAGAIN)
        })
    }

    /// The keeper, which has seen `seen` calls and had nothing to do for long, ends. False: it was called meanwhile.
    fn is_over(&self, seen: u32) -> bool {
        self.has_keeper.store(false, Ordering::SeqCst);
        self.keeper_word.load(Ordering::SeqCst) == seen || self.has_keeper.swap(true, Ordering::SeqCst)
    }

    /// Leaves a request in one of the queues.
    fn leave(&'static self, request: Handle, queue: fn(&State) -> &Fifo) {
        let mut state = self.state();
        queue(&state).push(Queued(request));
        state.queued += 1;
        let someone_sleeps = state.idle > 0;
        let must_call = state.has_work() && !state.watched;
        state.watched |= must_call;
        drop(state);
        if someone_sleeps {
            self.wake_word.fetch_add(1, Ordering::Release);
            futex::wake(&raw const self.wake_word, 1);
        }
        if must_call {
            self.call_keeper();
        }
    }

    fn call_keeper(&'static self) {
        // SeqCst pairs with `is_over`: either a keeper that is about to end sees the call, or we see that it has ended.
        self.keeper_word.fetch_add(1, Ordering::SeqCst);
        futex::wake(&raw const self.keeper_word, 1);
        // A keeper that could not be started is tried again by the next who needs one.
        let _ = self.prepare();
    }

    /// The next function for a thread; none when it has long not been needed.
    fn next(&self) -> Option<Handle> {
        let mut state = self.state();
        loop {
            if let Some(Queued(call)) = state.calls.pop() {
                state.taken += 1;
                return Some(call);
            }
            let seen = self.wake_word.load(Ordering::Acquire);
            state.idle += 1;
            drop(state);
            let waited = futex::wait(&self.wake_word, seen, Deadline::after(IDLE_EXIT));
            state = self.state();
            state.idle -= 1;
            if waited == Err(Errno(libc::ETIMEDOUT)) && state.calls.is_empty() {
                return None;
            }
        }
    }
}

/// Sees to it that callbacks can be called, before a request is partially_done that will want one.
///
/// # Errors
/// `EAGAIN`: no thread can be had.
pub fn prepare() -> Result<(), Errno> {
    face().map_err(|_| Errno(libc::EAGAIN))?.callbacks.prepare()
}

/// Has the function of a request called by a thread of its own or of ours. Called by the engine's thread; does not block.
pub fn call(request: Handle) {
    // SAFETY: the request is the caller's alone until it is in a queue.
    let has_attributes = unsafe { request.as_ref() }.sigevent.attributes != 0;
    leave(request, if has_attributes { |state| &state.own } else { |state| &state.calls });
}

/// Has the signal of a request sent when there is room.
pub fn signal_later(request: Handle) {
    leave(request, |state| &state.signals);
}

fn leave(request: Handle, queue: fn(&State) -> &Fifo) {
    if let Ok(face) = face() {
        face.callbacks.leave(request, queue);
    }
}

/// The keeper's view of how the threads get on.
struct Watch {
    /// When to look again.
    next: u64,
    /// Functions queued and taken at the last look.
    queued: u64,
    taken: u64,
    /// How many threads to start at once.
    step: usize,
    /// The pause before the next attempt at what failed.
    pause: u64,
    /// The signal whose turn it is, and that has no room.
    unsent: Option<Handle>,
}

extern "C" fn keeper(pool: *mut c_void) -> *mut c_void {
    thread::set_name(c"uringaio-keeper");
    // SAFETY: `prepare` passed the pool, which lives as long as the process.
    let pool = unsafe { &*pool.cast::<CallbackPool>() };
    let mut watch = Watch { next: 0, queued: 0, taken: 0, step: 1, pause: TICK_NS, unsent: None };
    loop {
        // Acquire pairs with `call_keeper`. Read before looking, so that a later call is not slept through.
        let seen = pool.keeper_word.load(Ordering::Acquire);
        let failed = !(start_own(pool) & send_signals(pool, &mut watch)) | !grow(pool, &mut watch);
        watch.pause = if failed { (watch.pause * 2).min(MAX_PAUSE_NS) } else { TICK_NS };
        let mut state = pool.state();
        let is_needed = state.has_work() || watch.unsent.is_some();
        state.watched = is_needed;
        drop(state);
        let wait = if is_needed { Duration::from_nanos(watch.pause) } else { IDLE_EXIT };
        let waited = futex::wait(&pool.keeper_word, seen, Deadline::after(wait));
        if !is_needed && waited == Err(Errno(libc::ETIMEDOUT)) && pool.is_over(seen) {
            return ptr::null_mut();
        }
    }
}

/// Starts the threads of functions that have attributes. Whether none has to wait.
fn start_own(pool: &'static CallbackPool) -> bool {
    loop {
        let Some(Queued(call)) = pool.state().own.pop() else { return true };
        // SAFETY: out of the queue, the request is ours.
        let attributes = unsafe { call.as_ref() }.sigevent.attributes as *const libc::pthread_attr_t;
        let mut thread = 0;
        // SAFETY: the program's attributes, which it keeps until the notification; the request goes to the thread.
        match unsafe { libc::pthread_create(&raw mut thread, attributes, own_thread, call.as_ptr().cast()) } {
            0 => {}
            libc::EAGAIN => {
                pool.state().own.push(Queued(call));
                return false;
            }
            // Attributes that cannot be had (a scheduling policy without the right to it): better called without than not.
            _ => pool.leave(call, |state| &state.calls),
        }
    }
}

/// Sends signals that had no room, in their order. Whether none has to wait.
fn send_signals(pool: &CallbackPool, watch: &mut Watch) -> bool {
    while let Some(request) = watch.unsent.take().or_else(|| pool.state().signals.pop().map(|Queued(request)| request))
    {
        // SAFETY: out of the queue, the request is ours.
        let sigevent = unsafe { request.as_ref() }.sigevent;
        if notify::signal(&sigevent) == Err(Errno(libc::EAGAIN)) {
            watch.unsent = Some(request);
            return false;
        }
        // SAFETY: the same.
        unsafe { Request::recycle(request) };
    }
    true
}

/// Starts threads where functions wait for one. Whether all could be started.
fn grow(pool: &'static CallbackPool, watch: &mut Watch) -> bool {
    let now = kernel::now();
    let mut state = pool.state();
    if !state.is_short() {
        watch.next = 0;
        return true;
    }
    let wanted = if state.workers == 0 {
        1
    } else if watch.next == 0 || now < watch.next {
        // The first look, or one that came too soon.
        if watch.next == 0 {
            watch.look(&state, now);
            watch.step = 1;
        }
        return true;
    } else {
        let stuck = state.taken == watch.taken;
        let slow = state.taken < watch.queued;
        watch.step = if stuck { watch.step.saturating_mul(2) } else { 1 };
        match (stuck, slow) {
            (true, _) => watch.step.min(state.calls.len() - state.idle),
            (false, true) if state.workers < MAX_SLOW_WORKERS => 1,
            _ => 0,
        }
    };
    watch.look(&state, now);
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

impl Watch {
    fn look(&mut self, state: &State, now: u64) {
        (self.next, self.queued, self.taken) = (now + TICK_NS / 2, state.queued, state.taken);
    }
}

/// Starts a thread with the program's default attributes, detached. Every signal is blocked in it, as in the keeper.
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
        let error = libc::pthread_create(&raw mut thread, attributes, worker, ptr::from_ref(pool).cast_mut().cast());
        libc::pthread_attr_destroy(attributes);
        error
    };
    if error == 0 { Ok(()) } else { Err(Errno(error)) }
}

/// Takes a thread off the pool's list when it ends, be it by `pthread_exit` in a function of the program's.
static WORKER: ThreadExitHook = ThreadExitHook::new(worker_ends);

unsafe extern "C" fn worker_ends(pool: *mut c_void) {
    // In a forked child, the thread that was a worker in the parent is none.
    let Some(face) = FACE.get().filter(|face| ptr::from_ref(&face.callbacks).cast() == pool.cast_const()) else {
        return;
    };
    let mut state = face.callbacks.state();
    state.workers -= 1;
    let must_call = state.is_short() && !state.watched;
    state.watched |= must_call;
    drop(state);
    if must_call {
        face.callbacks.call_keeper();
    }
}

extern "C" fn worker(pool: *mut c_void) -> *mut c_void {
    WORKER.set(pool);
    thread::set_name(c"uringaio-call");
    // SAFETY: `start_worker` passed the pool, which lives as long as the process.
    let pool = unsafe { &*pool.cast::<CallbackPool>() };
    while let Some(call) = pool.next() {
        run(taken(call));
        // The next function finds a thread as new: nothing blocked but what is while we are in between, cancellation
        // enabled and deferred.
        let _ = thread::block_all_signals();
        // SAFETY: these change the calling thread alone; where a cancellation of the function's thread is pending, the
        // thread ends here.
        unsafe {
            pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, ptr::null_mut());
            pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, ptr::null_mut());
        }
        super::wait::test_cancel();
    }
    ptr::null_mut()
}

extern "C" fn own_thread(request: *mut c_void) -> *mut c_void {
    if let Some(call) = Handle::new(request.cast()) {
        run(taken(call));
    }
    ptr::null_mut()
}

unsafe extern "C" {
    fn pthread_setcanceltype(kind: i32, before: *mut i32) -> i32;
    fn pthread_setcancelstate(state: i32, before: *mut i32) -> i32;
}

const PTHREAD_CANCEL_ENABLE: i32 = 0;
const PTHREAD_CANCEL_DEFERRED: i32 = 0;

/// What a request asks for; the request itself is over.
fn taken(call: Handle) -> SigEvent {
    // SAFETY: out of the queue, the request is ours.
    unsafe {
        let notice = call.as_ref().sigevent;
        Request::recycle(call);
        notice
    }
}

/// Calls the program's function with no signal blocked, as glibc does, whatever the program's own threads block. It may
/// not return (`pthread_exit`); nothing here would have to be done then.
fn run(notice: SigEvent) {
    if notice.target == 0 {
        return;
    }
    stats::notified(stats::Notification::Callback, 1);
    thread::restore_signals(&0);
    // SAFETY: the program's function, which takes a `union sigval`: one word, passed as an integer is.
    unsafe {
        let function = core::mem::transmute::<usize, unsafe extern "C" fn(usize)>(notice.target);
        function(notice.value);
    }
}
