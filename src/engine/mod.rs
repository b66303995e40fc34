//! The engine: one thread that owns one io_uring, or where there is none threads beside it, and the door to it.
//!
//! A face makes an [`Operation`], and [`Engine::submit`] takes it to the engine's thread; the thread calls the operation's
//! [`Finish`] when it is done. The engine knows nothing of aiocbs, iocbs or signals.

pub mod bare;
mod cancel;
mod claim;
mod device;
mod dozer;
mod entry;
pub mod inbox;
mod living;
mod nobody;
mod operation;
mod order;
mod pins;
pub mod private;
mod queue;
mod reactor;
mod ring;
#[cfg(test)]
mod tests;
mod threads;
mod uring;
mod wakes;

use core::ffi::{c_int, c_void};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, Ordering, fence};

pub use cancel::{Means, Outcome};
pub use operation::{Finish, Kind, MOST_BYTES, Operation, Order};
pub use wakes::Wakes;

use crate::host::futex::{self, Deadline};
use crate::host::kernel::{self, Errno, syscall};
use crate::host::process::PerProcess;
use crate::host::settings::{self, Choice};
use crate::host::thread;
use crate::host::{descriptors, memory};
use crate::stats::{self, Serves};
use inbox::{Inbox, Node, Pushed};
use nobody::Nobody;
use reactor::Reactor;
use reactor::heir::Estate;
use threads::Threads;
use uring::Uring;

// SAFETY: the link is a field, and operations are aligned to 8.
unsafe impl Node for Operation {
    fn link(&self) -> &AtomicPtr<Self> {
        &self.link
    }
}

static ENGINE: PerProcess<Engine> = PerProcess::new(0);

// What `Engine::state` says.
const NEW: u32 = 0;
const STARTING: u32 = 1;
const SERVES: u32 = 2;
const STANDS_ASIDE: u32 = 3;

/// What carries operations out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// io_uring.
    Uring,
    /// Threads of ours: io_uring cannot be had, or was not wanted.
    Threads,
}

/// The one engine of the process.
pub struct Engine {
    state: AtomicU32,
    /// Whether threads carry operations out.
    threads: AtomicBool,
    inbox: Inbox<Operation>,
    /// The engine's thread. Relaxed: that thread reads what it wrote, and any other finds a number that is not its own.
    thread: AtomicI32,
    /// Counts rings. The engine's thread sleeps on it.
    doorbell: AtomicU32,
    /// The thread that has to be sent a signal when the doorbell rings; 0 for none.
    wants_signal: AtomicI32,
    /// The process that this thread is of: not that of a child of `vfork`, which may ring as well.
    process: AtomicI32,
}

/// The engine, started by the first call; nothing where the system's own implementation has to serve, for good.
///
/// # Errors
/// `EAGAIN`: there is no memory to begin with; neither is decided yet.
pub fn get() -> Result<Option<&'static Engine>, Errno> {
    let engine = match ENGINE.get() {
        Some(engine) => engine,
        None => ENGINE.get_or_init(|| memory::boxed(Engine::new())).map_err(|_| Errno(libc::EAGAIN))?,
    };
    // Acquire pairs with the Release of `start`.
    Ok(match engine.state.load(Ordering::Acquire) {
        SERVES => Some(engine),
        STANDS_ASIDE => None,
        _ => engine.start(),
    })
}

/// The engine, if this process has started it.
#[must_use]
pub fn started() -> Option<&'static Engine> {
    ENGINE.get().filter(|engine| engine.state.load(Ordering::Acquire) == SERVES)
}

/// Whether this process has tried to start the engine and found that the system's own implementation has to serve.
/// Async-signal-safe.
#[must_use]
pub fn stands_aside() -> bool {
    ENGINE.get().is_some_and(|engine| engine.state.load(Ordering::Acquire) == STANDS_ASIDE)
}

impl Engine {
    fn new() -> Self {
        Self {
            state: AtomicU32::new(NEW),
            threads: AtomicBool::new(false),
            inbox: Inbox::new(),
            thread: AtomicI32::new(0),
            doorbell: AtomicU32::new(0),
            wants_signal: AtomicI32::new(0),
            process: AtomicI32::new(0),
        }
    }

    /// What carries operations out at present.
    #[must_use]
    pub fn carrier(&self) -> Carrier {
        // Relaxed: published with the state.
        if self.threads.load(Ordering::Relaxed) { Carrier::Threads } else { Carrier::Uring }
    }

    /// Starts the thread, or waits until another has.
    fn start(&'static self) -> Option<&'static Self> {
        descriptors::settle_by(
            || {
                if let Some(engine) = started() {
                    engine.settle();
                }
            },
            |fd| {
                if let Some(engine) = started() {
                    engine.drain(fd);
                }
            },
        );
        if self.state.compare_exchange(NEW, STARTING, Ordering::Acquire, Ordering::Acquire).is_ok() {
            let begun = match settings::get().engine {
                Choice::System => Err("URINGAIO_ENGINE=system"),
                _ => thread::start(body, ptr::from_ref(self).cast_mut().cast()).map_err(|_| "no thread can be had"),
            };
            if let Err(why) = begun {
                settings::log(format_args!("the system's own AIO serves: {why}"));
                stats::begin(Serves::System);
                self.decide(STANDS_ASIDE);
            }
        }
        loop {
            match self.state.load(Ordering::Acquire) {
                SERVES => return Some(self),
                STANDS_ASIDE => return None,
                state => {
                    let _ = futex::wait(&self.state, state, Deadline::Never);
                }
            }
        }
    }

    /// For a thread that is the engine's from here on.
    fn begin_thread(&self) {
        thread::set_name(c"uringaio");
        self.thread.store(kernel::thread_id(), Ordering::Relaxed);
    }

    fn decide(&self, state: u32) {
        // Release pairs with the Acquire of whoever reads the state: the engine is whole.
        self.state.store(state, Ordering::Release);
        futex::wake_all(&raw const self.state);
    }

    /// Submits an operation. Allocates nothing and takes no lock.
    ///
    /// # Safety
    /// The operation, and what it points to, stay valid and untouched until its [`Finish`] is called. (Buffers that the
    /// program unmaps meanwhile lead to `-EFAULT` or to bytes in whatever is mapped there by then, as with any system
    /// call.)
    pub unsafe fn submit(&self, operation: NonNull<Operation>) {
        // SAFETY: the caller's promise.
        unsafe { self.submit_chain(operation, operation) };
    }

    /// Submits a chain of operations at once; see [`chain`].
    ///
    /// # Safety
    /// As for [`Engine::submit`], for each.
    pub unsafe fn submit_chain(&self, newest: NonNull<Operation>, oldest: NonNull<Operation>) {
        let stamp = stats::stamp();
        if stamp != 0 {
            // SAFETY: the caller's promise.
            unsafe { stamp_chain(newest, oldest, stamp) };
        }
        // SAFETY: the caller's promise.
        if unsafe { self.inbox.push(newest, oldest) } == Pushed::MustRing {
            stats::rang();
            self.ring_doorbell();
            self.inbox.rung(newest);
        }
    }

    /// Wakes the engine's thread.
    fn ring_doorbell(&self) {
        // Pairs with the Release of the sleeper's mark, which the push has seen: it is the thread that sleeps now.
        fence(Ordering::Acquire);
        let thread = self.wants_signal.load(Ordering::Relaxed);
        if thread != 0 {
            let process = self.process.load(Ordering::Relaxed);
            // SAFETY: a signal that is blocked in that thread.
            let _ = unsafe { syscall!(libc::SYS_tgkill, process, thread, ring::BELL_SIGNAL) };
        }
        // Release pairs with the Acquire before the thread sleeps.
        self.doorbell.fetch_add(1, Ordering::Release);
        futex::wake(&raw const self.doorbell, 1);
    }

    /// Returns when the kernel has the file, by its own reference, of everything that was submitted before: the program
    /// may close the descriptor, reuse its number, or change its flags. One load where nothing is on its way.
    pub fn settle(&self) {
        private::settle_desks();
        // A memory allocator of the program's may unmap or close something on the engine's own thread, which cannot wait
        // for itself.
        if self.inbox.is_settled() || self.thread.load(Ordering::Relaxed) == kernel::thread_id() {
            return;
        }
        // A command that means nothing: by the time it is answered, the turn that took it is through.
        unsafe fn nothing(_: NonNull<Operation>, _: usize) -> bool {
            false
        }
        self.cancel(nothing, 0);
    }

    /// Returns when no operation that was submitted before with descriptor `fd` is under way.
    pub fn drain(&self, fd: c_int) {
        private::settle_desks();
        private::settle(private::On::Descriptor(fd));
        unsafe fn is_on(operation: NonNull<Operation>, fd: usize) -> bool {
            // SAFETY: outstanding operations are alive.
            unsafe { operation.as_ref() }.fd as usize == fd
        }
        while self.has(is_on, fd as usize) {
            futex::linger();
        }
    }

    /// Whether an operation that is meant is outstanding. It goes on.
    pub fn has(&self, means: Means, argument: usize) -> bool {
        struct Search {
            means: Means,
            argument: usize,
            found: bool,
        }
        unsafe fn look(operation: NonNull<Operation>, search: usize) -> bool {
            // SAFETY: `has` waits, with the structure on its stack.
            let search = unsafe { &mut *(search as *mut Search) };
            // SAFETY: as whoever asked wants it called.
            search.found |= unsafe { (search.means)(operation, search.argument) };
            false
        }
        let mut search = Search { means, argument, found: false };
        self.cancel(look, (&raw mut search) as usize);
        // SAFETY: the engine's thread has answered, and does not touch it again.
        unsafe { (&raw const search.found).read_volatile() }
    }

    /// Stops what is outstanding and meant. Returns when it is known of each how it went.
    pub fn cancel(&self, means: Means, argument: usize) -> Outcome {
        let mut command = cancel::Command::new(means, argument);
        // SAFETY: the command stays until it is answered, which is waited for.
        unsafe { self.submit(command.operation()) };
        command.wait()
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

extern "C" fn body(engine: *mut c_void) -> *mut c_void {
    // SAFETY: `start` passed the engine, which lives as long as the process.
    let engine = unsafe { &*engine.cast::<Engine>() };
    engine.begin_thread();
    let choice = settings::get().engine;
    if choice == Choice::Threads {
        serve_by_threads(engine, format_args!("URINGAIO_ENGINE=threads"));
        return ptr::null_mut();
    }
    match Uring::new(&engine.doorbell) {
        Ok(device) => {
            settings::log(format_args!("io_uring serves"));
            engine.process.store(kernel::process_id(), Ordering::Relaxed);
            engine.wants_signal.store(device.wants_signal().unwrap_or(0), Ordering::Relaxed);
            stats::begin(Serves::Uring);
            engine.decide(SERVES);
            bequeath(engine, Reactor::new(&engine.inbox, device).run());
        }
        Err(refused) if choice == Choice::Uring => stand_aside(engine, format_args!("{refused}")),
        Err(refused) => serve_by_threads(engine, format_args!("{refused}")),
    }
    ptr::null_mut()
}

fn stand_aside(engine: &Engine, why: core::fmt::Arguments) {
    settings::log(format_args!("the system's own AIO serves: {why}"));
    stats::begin(Serves::System);
    engine.decide(STANDS_ASIDE);
}

/// Serves without io_uring, because of `why`. Comes back where threads cannot serve either.
fn serve_by_threads(engine: &'static Engine, why: core::fmt::Arguments) {
    match Threads::new(&engine.doorbell) {
        Ok(device) => {
            settings::log(format_args!("threads serve: {why}"));
            engine.threads.store(true, Ordering::Relaxed);
            stats::begin(Serves::Threads);
            engine.decide(SERVES);
            // Threads serve for as long as the process lives.
            let _ = Reactor::new(&engine.inbox, device).run();
        }
        Err(neither) => stand_aside(engine, format_args!("{why}; {neither}")),
    }
}

/// What the thread that lost its ring leaves to another.
struct Bequest {
    engine: &'static Engine,
    estate: Estate,
}

/// Leaves everything to a thread that goes on when this one has ended.
fn bequeath(engine: &'static Engine, reactor: Reactor<Uring>) {
    let mut bequest = Bequest { engine, estate: Estate::of(reactor) };
    let bequest = loop {
        match memory::try_box(bequest) {
            Ok(boxed) => break Box::into_raw(boxed),
            Err(back) => bequest = back,
        }
        futex::nap();
    };
    while thread::start(inherit, bequest.cast()).is_err() {
        futex::nap();
    }
}

extern "C" fn inherit(bequest: *mut c_void) -> *mut c_void {
    // SAFETY: `bequeath` passed it, and keeps nothing.
    let Bequest { engine, estate } = *unsafe { Box::from_raw(bequest.cast::<Bequest>()) };
    engine.begin_thread();
    let Errno(errno) = estate.loss();
    estate.wait();
    engine.wants_signal.store(0, Ordering::Relaxed);
    match Threads::new(&engine.doorbell) {
        Ok(device) => {
            settings::log(format_args!("threads serve from here on: io_uring was taken away (errno {errno})"));
            stats::begin(Serves::Threads);
            engine.threads.store(true, Ordering::Relaxed);
            let _ = estate.inherit(device).run();
        }
        Err(neither) => {
            settings::log(format_args!("nothing serves: io_uring was taken away (errno {errno}); {neither}"));
            let _ = estate.inherit(Nobody::new(&engine.doorbell)).run();
        }
    }
    ptr::null_mut()
}
