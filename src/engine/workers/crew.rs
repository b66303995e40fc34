//! The workers: threads that come and go with the work, and share everything.
//!
//! A worker that wakes first runs the reactor, unless another does (`lead`): it takes what was submitted, reports what is
//! done, and queues jobs. Then it takes a job, and afterwards runs the reactor again to report it. So a request that comes
//! alone wakes one thread, which does it and reports it. While there is work, one worker more than that sleeps on the
//! doorbell, to hear what else is submitted; a worker that takes a job sees to it.
//!
//! ```text
//!                ┌──────────────── done ────────────────┐
//!                ↓                                      │
//!   wake ──→ lead: submitted → jobs, done → finished ──→ job: run it; if it may block for ever, the worker does not count
//!     ↑          │ nothing to do                              among those of its class any more
//!     │          ↓
//!     └─────── sleep on the doorbell ──→ end, after a second; the last one ends the crew
//!            (submitter, poller, other worker)
//! ```
//!
//! Threads of a crew, from the first to the last:
//!
//! ```text
//!   a submitter's thread ─┬─ starts ─→ broker ←────────── joins ─────────┐
//!                         │            the program's descriptors         │
//!                         └─ starts ─→ poller ─── starts ─→ workers      │
//!                                      │   ↑                  │          │
//!                                      │   └───── joins ──────┘          │
//!                                      │   descriptors of their own      │
//!                                      └─────────────────────────────────┘
//! ```
//!
//! Each worker that ends joins the one that ended before it; the poller joins the last of them, and the broker the poller. So
//! the broker ends when all others are gone: where the program's own threads have ended, the C library calls `exit` on the
//! last thread of the process, and that one must have the program's descriptors.

use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;

use super::Workers;
use super::blocks::Blocks;
use super::combiner::Combiner;
use super::file_table::Holders;
use super::job::Job;
use super::poller::{self, Poller};
use super::queue::{Class, Queue, STUCK_NS};
use super::run;
use crate::engine::inbox::Inbox;
use crate::engine::lifecycle::{IDLE_EXIT_MS, NEW, RESTING, STARTING, UNAVAILABLE, idle_exit};
use crate::engine::reactor::Reactor;
use crate::engine::{self, Engine};
use crate::host::fd_broker::FdBroker;
use crate::host::futex::{self, Deadline};
use crate::host::kernel::{self, Errno};
use crate::host::lock::Lock;
use crate::host::process::PerProcess;
use crate::host::settings::EngineChoice;
use crate::host::thread::{self, JoinHandle};
use crate::host::{log, memory, settings};
use crate::stats::{self, ServedBy};

/// The pause between two attempts at what no thread tells of: more threads, room in the descriptor table.
const RETRY: Duration = Duration::from_nanos(STUCK_NS);

/// Shared by all threads of the engine. Never freed.
pub struct Crew {
    engine: &'static Engine,
    combiner: Combiner,
    /// Touched by the thread that has the combiner.
    reactor: UnsafeCell<Option<Box<Reactor<Workers>>>>,
    queue: Lock<Queue>,
    /// Jobs that are done, for the reactor.
    pub done: Inbox<Job>,
    pub jobs: Blocks<Job>,
    pub holders: Holders,
    pub poller: Poller,
    /// Whether anything was outstanding after the reactor's last turn.
    is_busy: AtomicBool,
    /// When that ended last, in nanoseconds.
    quiet_since: AtomicU64,
    /// Whether the reactor is to be run again after [`RETRY`].
    pub wants_retry: AtomicBool,
    /// The poller's thread, for the broker to join.
    poller_thread: Lock<Option<JoinHandle>>,
    /// Why the poller could not begin.
    refusal: Lock<Option<Refusal>>,
}

// SAFETY: the reactor is touched by the thread that has the combiner alone, and moves with it from thread to thread: all that
// it refers to is its own or shared.
unsafe impl Sync for Crew {}

static CREW: PerProcess<Crew> = PerProcess::new(6);

/// Why a crew could not begin.
#[derive(Clone, Copy)]
enum Refusal {
    /// There may be a thread later.
    NoThread,
    Cannot(&'static str),
}

/// A worker's place among those of a class, while it is at a job.
pub struct Slot {
    crew: &'static Crew,
    class: Option<Class>,
    /// Whether no other worker hears meanwhile what is submitted.
    pub is_alone: bool,
}

impl Slot {
    /// What is done from here on may take for ever: the worker does not count any more, and another takes its place.
    pub fn leave(&mut self) {
        if let Some(class) = self.class.take() {
            let mut queue = self.crew.queue.lock();
            queue.leave(class);
            let calls = queue.call_one();
            drop(queue);
            if calls {
                self.crew.ring();
            }
        }
    }
}

/// What a worker does next.
enum Next {
    Job(&'static Job),
    /// It sleeps, and ends if it sleeps until then.
    Rest(Deadline),
    /// It sleeps for [`RETRY`], and looks again.
    Retry,
}

/// Starts the threads that all others come from. Runs on a thread that has the program's descriptors.
///
/// # Errors
/// `EAGAIN` or `ENOMEM`: no thread or memory can be had.
pub fn start(engine: &'static Engine) -> Result<(), Errno> {
    let crew = CREW.get_or_init(|| memory::boxed(Crew::new(engine)))?;
    let broker = FdBroker::prepare()?;
    let argument = ptr::from_ref(crew).cast_mut().cast();
    let broker_thread = thread::start_joinable(serve_as_broker, argument)?;
    thread::start_joinable(serve_as_poller, argument).map(drop).inspect_err(|_| {
        broker.dismiss();
        broker_thread.join();
    })
}

extern "C" fn serve_as_broker(crew: *mut c_void) -> *mut c_void {
    // SAFETY: `start` passed the crew, which lives as long as the process.
    let crew: &'static Crew = unsafe { &*crew.cast::<Crew>() };
    if let Some(broker) = FdBroker::current() {
        broker.serve();
    }
    let poller = crew.poller_thread.lock().take();
    // Without a poller the starter joins this thread.
    if let Some(poller) = poller {
        poller.join();
        JoinHandle::of_this_thread().detach();
        crew.end();
    }
    ptr::null_mut()
}

extern "C" fn serve_as_poller(crew: *mut c_void) -> *mut c_void {
    // SAFETY: `start` passed the crew, which lives as long as the process.
    let crew: &'static Crew = unsafe { &*crew.cast::<Crew>() };
    *crew.poller_thread.lock() = Some(JoinHandle::of_this_thread());
    let Some(broker) = FdBroker::current() else { return ptr::null_mut() };
    broker.await_thread();
    match crew.begin(broker) {
        Ok(()) => {
            poller::run(crew);
            let last = crew.queue.lock().take_ended();
            if let Some(last) = last {
                last.join();
            }
            // SAFETY: no other thread of the crew's is left that would touch it. Its files and sockets go with it.
            unsafe { *crew.reactor.get() = None };
            crew.combiner.abandon();
            crew.poller.end();
        }
        Err(refusal) => *crew.refusal.lock() = Some(refusal),
    }
    broker.dismiss();
    ptr::null_mut()
}

extern "C" fn serve_as_worker(crew: *mut c_void) -> *mut c_void {
    // SAFETY: `start_workers` passed the crew, which lives as long as the process.
    let crew: &'static Crew = unsafe { &*crew.cast::<Crew>() };
    crew.work(kernel::thread_id());
    ptr::null_mut()
}

/// Says that the workers serve, unless io_uring does beside them.
fn announce() {
    if engine::available(&engine::URING).is_none() {
        if settings::get().engine == EngineChoice::Threads {
            log::log(format_args!("worker threads serve: URINGAIO_ENGINE=threads"));
        }
        stats::begin(ServedBy::Workers);
    }
}

// Beginning and end.
impl Crew {
    fn new(engine: &'static Engine) -> Self {
        Self {
            engine,
            combiner: Combiner::new(),
            reactor: UnsafeCell::new(None),
            queue: Lock::new(Queue::new()),
            done: Inbox::new(),
            // SAFETY: a job of zero bytes is valid: null pointers, zero numbers, a task that nothing reads yet.
            jobs: unsafe { Blocks::new() },
            holders: Holders::new(),
            poller: Poller::new(),
            is_busy: AtomicBool::new(false),
            quiet_since: AtomicU64::new(0),
            wants_retry: AtomicBool::new(false),
            poller_thread: Lock::new(None),
            refusal: Lock::new(None),
        }
    }

    /// The poller's thread leaves the program's descriptors, and makes the reactor and the first worker.
    fn begin(&'static self, broker: &'static FdBroker) -> Result<(), Refusal> {
        broker.set_client(kernel::thread_id());
        let device = Workers::new(self, broker).map_err(Refusal::Cannot)?;
        self.poller.begin().map_err(|_| Refusal::Cannot("no epoll can be had"))?;
        let reactor =
            memory::boxed(Reactor::new(self.engine, device)).map_err(|_| Refusal::Cannot("there is no memory"))?;
        // SAFETY: there is no other thread of the crew's yet.
        unsafe { *self.reactor.get() = Some(reactor) };
        self.is_busy.store(false, Ordering::Relaxed);
        self.quiet_since.store(kernel::now(), Ordering::Relaxed);
        self.queue.lock().ask_for_first();
        if !self.start_workers() {
            // SAFETY: as above.
            unsafe { *self.reactor.get() = None };
            self.poller.end();
            return Err(Refusal::NoThread);
        }
        if self.engine.state.load(Ordering::Relaxed) == STARTING {
            announce();
        }
        broker.set_client(0);
        self.engine.begin_serving();
        Ok(())
    }

    /// All other threads of the crew's are gone. Runs on the broker's thread, which goes as well.
    fn end(&self) {
        let is_first = self.engine.state.load(Ordering::Relaxed) == STARTING;
        let refusal = self.refusal.lock().take();
        match refusal {
            None => self.engine.rest(),
            Some(Refusal::NoThread) => {
                log::log(format_args!("no thread can be had"));
                self.engine.decide(if is_first { NEW } else { RESTING });
            }
            Some(Refusal::Cannot(why)) => {
                log::log(format_args!("worker threads cannot serve: {why}"));
                self.engine.decide(if is_first { UNAVAILABLE } else { RESTING });
            }
        }
    }

    /// Starts the workers that were asked for. Runs on the poller's thread. Whether all could be had.
    pub fn start_workers(&'static self) -> bool {
        let mut all = true;
        while self.queue.lock().take_start() {
            if thread::start_joinable(serve_as_worker, ptr::from_ref(self).cast_mut().cast()).is_err() {
                self.queue.lock().start_failed();
                all = false;
            }
        }
        all
    }
}

// The workers.
impl Crew {
    /// What a worker does from its start to its end.
    fn work(&'static self, me: c_int) {
        self.queue.lock().arrive();
        let mut slot = Slot { crew: self, class: None, is_alone: false };
        loop {
            // Acquire pairs with the Release of each ringer. Read before anything is looked at: what comes later changes it.
            let seen = self.engine.doorbell.load(Ordering::Acquire);
            self.lead(me);
            let (deadline, may_end) = match self.next(&mut slot) {
                Next::Job(job) => {
                    run::run(self, job, &mut slot);
                    continue;
                }
                Next::Rest(deadline) => (deadline, true),
                Next::Retry => (Deadline::after(RETRY), false),
            };
            stats::slept(true);
            let _ = futex::wait(&self.engine.doorbell, seen, deadline);
            if self.wake(may_end && deadline.is_over(), me) {
                return;
            }
        }
    }

    /// Has the reactor run: by this thread, or by the one that is at it.
    pub fn lead(&self, me: c_int) {
        self.combiner.run(|| {
            // SAFETY: this thread has the combiner.
            unsafe { self.turn(me) };
        });
    }

    /// One turn of the reactor. Whether it has nothing left.
    ///
    /// # Safety
    /// The calling thread has the combiner.
    unsafe fn turn(&self, me: c_int) -> bool {
        // SAFETY: the caller's promise.
        let Some(reactor) = (unsafe { &mut *self.reactor.get() }) else { return false };
        self.engine.thread.store(me, Ordering::Relaxed);
        let broker = FdBroker::current();
        if let Some(broker) = broker {
            broker.set_client(me);
        }
        reactor.turn();
        if let Some(broker) = broker {
            broker.set_client(0);
        }
        self.engine.thread.store(0, Ordering::Relaxed);
        let is_idle = reactor.is_idle();
        if self.is_busy.swap(!is_idle, Ordering::Relaxed) && is_idle {
            self.quiet_since.store(kernel::now(), Ordering::Relaxed);
        }
        is_idle
    }

    /// Whether threads that have nothing to do may end.
    pub fn may_leave(&self) -> bool {
        !self.is_busy.load(Ordering::Relaxed) && !self.engine.stays.load(Ordering::Relaxed)
    }

    /// What the worker does next. A job is its own from here on.
    fn next(&'static self, slot: &mut Slot) -> Next {
        let mut queue = self.queue.lock();
        if let Some(class) = slot.class.take() {
            queue.leave(class);
        }
        if !queue.is_empty() && !queue.has_work() {
            queue.loosen(kernel::now());
        }
        let asks = queue.ask_for_worker();
        slot.is_alone = queue.is_alone();
        let next = if let Some((job, class)) = queue.claim() {
            slot.class = Some(class);
            Next::Job(job)
        } else {
            let sleep = self.sleep(&queue);
            queue.idle += 1;
            sleep
        };
        let calls = queue.call_one();
        drop(queue);
        if asks {
            self.poller.ring();
        }
        if calls {
            self.ring();
        }
        next
    }

    /// How long a worker sleeps that finds nothing to do.
    fn sleep(&self, queue: &Queue) -> Next {
        if !queue.is_empty() || self.wants_retry.load(Ordering::Relaxed) {
            return Next::Retry;
        }
        Next::Rest(if self.may_leave() {
            Deadline::At(self.quiet_since.load(Ordering::Relaxed) + IDLE_EXIT_MS * 1_000_000)
        } else if queue.idle > 0 && !self.engine.stays.load(Ordering::Relaxed) {
            idle_exit()
        } else {
            Deadline::Never
        })
    }

    /// A worker has woken. True: it ends, and has done all that is to be done before.
    fn wake(&'static self, timed_out: bool, me: c_int) -> bool {
        let mut queue = self.queue.lock();
        queue.resume();
        if queue.wake() || !timed_out || self.engine.stays.load(Ordering::Relaxed) || !queue.is_empty() {
            return false;
        }
        if queue.is_alone() {
            let is_last = queue.is_last();
            drop(queue);
            return is_last && self.may_leave() && self.leave(me);
        }
        // Another one hears what is submitted.
        let before = queue.end();
        drop(queue);
        if let Some(before) = before {
            before.join();
        }
        if self.may_leave() {
            // That one may have nothing to wake it.
            self.ring();
        }
        true
    }

    /// The last worker ends the crew, if nothing has come. Whether it did.
    fn leave(&'static self, me: c_int) -> bool {
        if !self.combiner.enter() {
            return false;
        }
        self.combiner.hold();
        // SAFETY: this thread has the combiner.
        if unsafe { self.turn(me) } && self.queue.lock().is_last() && self.engine.leave() {
            // The poller has the reactor from here on.
            let before = self.queue.lock().end();
            if let Some(before) = before {
                before.join();
            }
            self.poller.dismiss();
            return true;
        }
        while !self.combiner.exit() {
            self.combiner.hold();
            // SAFETY: this thread has the combiner.
            unsafe { self.turn(me) };
        }
        false
    }
}

// What the reactor, the poller and those who run jobs need.
impl Crew {
    /// Wakes one worker.
    pub fn ring(&self) {
        // Release pairs with the Acquire of `work`.
        self.engine.doorbell.fetch_add(1, Ordering::Release);
        futex::wake(&raw const self.engine.doorbell, 1);
    }

    /// Queues jobs, linked from the first to the last. A worker that runs the reactor is the next to look; other threads call
    /// one ([`Crew::call_for_work`]).
    pub fn push(&self, class: Class, ends: (&'static Job, &'static Job)) {
        self.queue.lock().push(class, ends);
    }

    /// Queues a job that the poller has taken from the epoll, and calls a worker.
    pub fn push_stream(&'static self, job: &'static Job) {
        job.next.set(None);
        self.push(Class::Stream, (job, job));
        self.call_for_work();
    }

    /// Calls a worker, if there is work that none is coming for.
    pub fn call_for_work(&self) {
        let mut queue = self.queue.lock();
        let (asks, calls) = (queue.ask_for_worker(), queue.call_one());
        drop(queue);
        if asks {
            self.poller.ring();
        }
        if calls {
            self.ring();
        }
    }

    /// Leaves a stream that the caller owns for later: what it needs cannot be had now.
    pub fn postpone(&self, job: &'static Job) {
        self.queue.lock().postpone(job);
    }

    /// Takes a job back, if it is still queued.
    pub fn take_back(&self, job: &'static Job) -> bool {
        self.queue.lock().remove(job)
    }

    /// Sends a job that the caller owns, and that is decided, back to the reactor: its file is let go before. The caller has
    /// the reactor run next.
    pub fn finish(&self, job: &'static Job) {
        self.poller.forget(job);
        let fd = job.task().fd;
        if self.holders.release(fd) {
            kernel::close(fd);
            job.has_closed.set(true);
        }
        let job = ptr::NonNull::from(job);
        // SAFETY: jobs are never freed, and no other thread touches this one before it is taken.
        let _ = unsafe { self.done.push(job, job) };
    }
}
