//! The first threads of the workers' engine, from which all others come, and the last ones.
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
//! Each worker that ends joins the one that ended before it; the poller joins the last of them, and the broker the
//! poller. So the broker ends when all others are gone: where the program's own threads have ended, the C library calls
//! `exit` on the last thread of the process, and that one must have the program's descriptors.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::Ordering;

use super::crew::Crew;
use super::device::Workers;
use super::own_table::OwnTable;
use super::shared_reactor::SharedReactor;
use super::{poller, worker};
use crate::engine::engines;
use crate::engine::lifecycle::{Engine, NEW, RESTING, STARTING, UNAVAILABLE};
use crate::engine::reactor::Reactor;
use crate::host::descriptors::Copying;
use crate::host::fd_broker::FdBroker;
use crate::host::fork::PerProcess;
use crate::host::kernel::{self, Errno};
use crate::host::lock::Lock;
use crate::host::log::{self, Priority};
use crate::host::memory;
use crate::host::settings::{self, EngineChoice};
use crate::host::thread::{self, JoinHandle};
use crate::stats::{self, ServedBy};

/// The first threads.
struct FirstThreads {
    reactor: SharedReactor,
    /// The poller's thread, for the broker to join.
    poller: Lock<Option<JoinHandle>>,
    /// Why the poller could not begin.
    refusal: Lock<Option<Refusal>>,
}

static FIRST_THREADS: PerProcess<FirstThreads> = PerProcess::new(6);

/// Why the poller could not begin.
#[derive(Clone, Copy)]
enum Refusal {
    /// There may be a thread later.
    NoThread,
    Cannot(&'static str),
}

/// Starts the broker and the poller. Runs on a thread that has the program's descriptors.
///
/// # Errors
/// `EAGAIN` or `ENOMEM`: threads or memory are out.
pub fn start(engine: &'static Engine) -> Result<(), Errno> {
    let first_threads = FIRST_THREADS.get_or_init(|| {
        let crew = Box::leak(memory::boxed(Crew::new(engine)?)?);
        memory::boxed(FirstThreads {
            reactor: SharedReactor::new(crew),
            poller: Lock::new(None),
            refusal: Lock::new(None),
        })
    })?;
    let broker = FdBroker::prepare()?;
    let argument = ptr::from_ref(first_threads).cast_mut().cast();
    let broker_thread = thread::start_joinable(serve_as_broker, argument)?;
    thread::start_joinable(serve_as_poller, argument).map(drop).inspect_err(|_| {
        broker.dismiss();
        broker_thread.join();
    })
}

extern "C" fn serve_as_broker(first_threads: *mut c_void) -> *mut c_void {
    // SAFETY: `start` passed them, and they live as long as the process.
    let first_threads: &'static FirstThreads = unsafe { &*first_threads.cast::<FirstThreads>() };
    if let Some(broker) = FdBroker::current() {
        broker.serve();
    }
    let poller = first_threads.poller.lock().take();
    // Without a poller the starter joins this thread.
    if let Some(poller) = poller {
        poller.join();
        JoinHandle::of_this_thread().detach();
        first_threads.end();
    }
    ptr::null_mut()
}

extern "C" fn serve_as_poller(first_threads: *mut c_void) -> *mut c_void {
    // SAFETY: `start` passed them, and they live as long as the process.
    let first_threads: &'static FirstThreads = unsafe { &*first_threads.cast::<FirstThreads>() };
    *first_threads.poller.lock() = Some(JoinHandle::of_this_thread());
    let Some(broker) = FdBroker::current() else { return ptr::null_mut() };
    broker.await_thread();
    match first_threads.begin(broker) {
        Ok(()) => {
            poller::run(&first_threads.reactor);
            let last = first_threads.reactor.crew.queue.lock().take_ended();
            if let Some(last) = last {
                last.join();
            }
            first_threads.take_apart();
        }
        Err(refusal) => *first_threads.refusal.lock() = Some(refusal),
    }
    broker.dismiss();
    ptr::null_mut()
}

impl FirstThreads {
    /// The poller leaves the program's descriptors, and makes the reactor and the first worker.
    fn begin(&'static self, broker: &'static FdBroker) -> Result<(), Refusal> {
        const NO_MEMORY: Refusal = Refusal::Cannot("there is no memory");
        broker.set_client(kernel::thread_id());
        let crew = self.reactor.crew;
        // Until the engine serves, and can be told to let go of a copy.
        let copying = Copying::begin();
        let device = Workers::new(crew, OwnTable::leave(broker).map_err(Refusal::Cannot)?);
        let reactor = memory::boxed(Reactor::new(crew.engine, device)).map_err(|_| NO_MEMORY)?;
        crew.epoll.begin().map_err(|_| Refusal::Cannot("no epoll can be made"))?;
        // SAFETY: there is no other thread yet.
        unsafe { self.reactor.set(Some(reactor)) };
        crew.begin_quiet();
        crew.queue.lock().ask_for_first();
        if crew.engine.state.load(Ordering::Relaxed) == STARTING {
            announce();
        }
        // Before there is a worker: it becomes the broker's client at once, and stays that until it says so itself.
        broker.set_client(0);
        if !worker::start(&self.reactor) {
            self.take_apart();
            return Err(Refusal::NoThread);
        }
        crew.engine.begin_serving();
        drop(copying);
        Ok(())
    }

    /// Undoes what the poller has made.
    fn take_apart(&self) {
        // SAFETY: no worker is left, and this is the poller. Files and sockets go with the reactor.
        unsafe { self.reactor.set(None) };
        self.reactor.crew.epoll.end();
    }

    /// All other threads are gone. Runs on the broker's thread, which goes as well.
    fn end(&self) {
        let engine = self.reactor.crew.engine;
        let is_first = engine.state.load(Ordering::Relaxed) == STARTING;
        let refusal = self.refusal.lock().take();
        match refusal {
            None => engine.rest(),
            Some(Refusal::NoThread) => {
                log::log(Priority::Error, format_args!("no thread can be started"));
                engine.decide(if is_first { NEW } else { RESTING });
            }
            Some(Refusal::Cannot(why)) => {
                log::log(Priority::Error, format_args!("worker threads cannot serve: {why}"));
                engine.decide(if is_first { UNAVAILABLE } else { RESTING });
            }
        }
    }
}

/// Says that the workers serve, unless io_uring does beside them.
fn announce() {
    if !engines::uring_serves() {
        if settings::get().engine == EngineChoice::Threads {
            log::log(Priority::Info, format_args!("worker threads serve: URINGAIO_ENGINE=threads"));
        }
        stats::begin(ServedBy::Workers);
    }
}
