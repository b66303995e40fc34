//! The simulated process: two engines, their threads in turns, and the kernel under them, all in the calling thread.
//!
//! The program's side runs the steps of a sequence ([`super::step`]). Where it would sleep, and between its calls, one of the
//! others does something: the thread of the engine on io_uring, the workers, the kernel.

use core::cell::{Cell, RefCell};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, Ordering};

use super::calls::call;
use super::files::{EVENTFDS, Files, REGULAR, STREAMS};
use super::random::Random;
use super::request::{Record, Request, Wanted};
use super::ring::Ring;
use super::workers::{Crew, Workers};
use crate::engine::device::{Device, Event, Sleep, Waits};
use crate::engine::lifecycle::{Carrier, Engine, IDLE_EXIT_MS, RESTING, SERVING, STARTING, UNAVAILABLE};
use crate::engine::operation::Operation;
use crate::engine::reactor::Reactor;
use crate::engine::reactor::run::{End, Next};
use crate::engine::uring::Uring;
use crate::engine::{HOOKS, engines, failover};
use crate::host::descriptors::{self, Hooks};
use crate::host::kernel::Errno;
use crate::host::simulation::{self, ROOTS_BYTES, Simulation};

/// Whose turn it is: what `gettid` answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Thread {
    Program = 1,
    Uring,
    Workers,
}

struct UringThread {
    reactor: Reactor<Uring>,
    /// How it sleeps, or slept last.
    sleep: Option<Sleep>,
    is_asleep: bool,
}

/// The program of a face, whose requests come by the face's functions and not from [`Request::operation`].
#[derive(Clone, Copy)]
pub struct Program {
    /// By what a request of the face's is known ([`Record::handle`]).
    pub handle: fn(&Operation) -> usize,
    /// How a request has ended, as far as the program can know; none where only a call of its own tells.
    pub told: Option<fn(&Record) -> Option<i64>>,
    /// A signal with this value was queued.
    pub signalled: fn(usize),
}

/// A root of a process's state.
type Roots = Box<[u64; ROOTS_BYTES / 8]>;

pub struct World {
    /// None: the steps submit to the engines themselves.
    pub program: Option<Program>,
    pub random: Random,
    pub files: RefCell<Files>,
    /// Every request, and those that have not ended, in the order of the program's calls.
    pub requests: RefCell<Vec<&'static Request>>,
    pub open: RefCell<Vec<&'static Request>>,
    /// Which requests the last command meant.
    pub matched: RefCell<Vec<&'static Request>>,
    pub crew: RefCell<Crew>,
    pub ring: RefCell<Option<Ring>>,
    uring_thread: RefCell<Option<UringThread>>,
    workers_reactor: RefCell<Option<Reactor<Workers>>>,
    /// Threads that are being started.
    starting: [Cell<bool>; 2],
    /// The doorbell was notified while the thread slept outside its ring.
    is_woken: Cell<bool>,
    pub thread: Cell<Thread>,
    clock: Cell<u64>,
    quiet_since: Cell<u64>,
    /// The kernel does what it is asked for, and as soon as it can.
    pub is_calm: Cell<bool>,
    pub is_lost: Cell<bool>,
    pub has_refused_file: Cell<bool>,
    pub has_refused_thread: Cell<bool>,
    /// Whether descriptors of eventfds are closed. Not where the ring gets lost: then they may miss a signal.
    pub closes_eventfds: Cell<bool>,
    /// Words that threads sleep on, the last one first to go on; and whether each was woken.
    sleeps: RefCell<Vec<(usize, bool)>>,
    roots: Roots,
}

thread_local! {
    static WORLD: Cell<*const World> = const { Cell::new(ptr::null()) };
    /// The roots of the process that was simulated before. It has no engines any more; what the faces keep is used again.
    static ROOTS: Cell<Option<Roots>> = const { Cell::new(None) };
}

/// The world of this thread.
pub fn world() -> &'static World {
    // SAFETY: set for as long as anything in the simulation runs.
    unsafe { WORLD.get().as_ref() }.expect("a simulation")
}

impl World {
    /// A process in which no engine was ever used.
    pub fn begin(seed: u64, program: Option<Program>) -> &'static Self {
        let mut roots = ROOTS.take().unwrap_or_else(|| Box::new([0u64; ROOTS_BYTES / 8]));
        let place = NonNull::from(&mut *roots).cast::<u8>();
        let world = Box::leak(Box::new(Self {
            program,
            random: Random::new(seed),
            files: RefCell::new(Files::new(program.is_some())),
            requests: RefCell::default(),
            open: RefCell::default(),
            matched: RefCell::default(),
            crew: RefCell::default(),
            ring: RefCell::default(),
            uring_thread: RefCell::default(),
            workers_reactor: RefCell::default(),
            starting: [const { Cell::new(false) }; 2],
            is_woken: Cell::new(false),
            thread: Cell::new(Thread::Program),
            clock: Cell::new(1_000_000_000),
            quiet_since: Cell::new(0),
            is_calm: Cell::new(false),
            is_lost: Cell::new(false),
            has_refused_file: Cell::new(false),
            has_refused_thread: Cell::new(false),
            closes_eventfds: Cell::new(true),
            sleeps: RefCell::default(),
            roots,
        }));
        // What was known of these numbers was about other files.
        world.files.borrow().numbers().for_each(descriptors::after_change);
        WORLD.set(ptr::from_ref(world));
        simulation::set(Some(Simulation { call, now, roots: place }));
        descriptors::set_hooks(&CLOSES);
        for (carrier, start) in [(Carrier::Workers, start_workers as fn(_) -> _), (Carrier::Uring, start_uring)] {
            let made = engines::make(carrier, start);
            assert!(made.is_ok());
        }
        world
    }

    /// The simulation is over, or has failed: nothing of it is used any more.
    pub fn forget_all() {
        simulation::set(None);
        WORLD.set(ptr::null());
    }

    /// Frees all that there is.
    pub fn end(&'static self) {
        let engines: Vec<_> = engines::all().map(ptr::from_ref).collect();
        let requests = self.requests.take();
        Self::forget_all();
        let are_engines_s = |root: u64| engines.iter().any(|engine| engine.addr() as u64 == root);
        // SAFETY: leaked from boxes when they were made; nothing refers to them any more.
        unsafe {
            for request in requests {
                drop(Box::from_raw(ptr::from_ref(request).cast_mut()));
            }
            for &engine in &engines {
                drop(Box::from_raw(engine.cast_mut()));
            }
            let Self { mut roots, .. } = *Box::from_raw(ptr::from_ref(self).cast_mut());
            roots.iter_mut().filter(|root| are_engines_s(**root)).for_each(|root| *root = 0);
            ROOTS.set(Some(roots));
        }
    }

    /// The request of the program's that a face knows by this.
    pub fn request_of(&self, handle: usize) -> &'static Request {
        let open = self.open.borrow();
        let is_its = |request: &&&Request| request.record.try_borrow().is_ok_and(|record| record.handle == handle);
        open.iter().find(is_its).copied().expect("a request that has not ended")
    }

    /// Takes note of what has ended, as the program can see.
    pub fn look(&self) {
        if self.program.is_some_and(|program| program.told.is_some()) {
            self.open.borrow_mut().retain(|request| !request.look(self));
        }
    }

    /// The request that a plain call is for.
    pub fn request_at(&self, address: usize) -> &'static Request {
        let open = self.open.borrow();
        let request = open.iter().find(|request| request.record.try_borrow().is_ok_and(|record| record.is_at(address)));
        request.copied().expect("a request that has not ended")
    }

    /// One request more.
    pub fn add(&self, wanted: Wanted) -> &'static Request {
        let mut requests = self.requests.borrow_mut();
        let request: &'static Request = Box::leak(Request::new(requests.len(), wanted));
        requests.push(request);
        self.open.borrow_mut().push(request);
        request
    }

    /// One of the descriptors of a file.
    pub fn descriptor_of(&self, file: usize) -> i32 {
        let files = self.files.borrow();
        (0..8)
            .map(|_| files.any_descriptor(|open| self.random.below(open)))
            .find(|&fd| files.named(fd) == Some(file))
            .unwrap_or_else(|| files.descriptor(file))
    }

    /// An eventfd, and a descriptor of it.
    pub fn any_eventfd(&self) -> (usize, i32) {
        let eventfd = REGULAR + STREAMS + self.random.below(EVENTFDS);
        (eventfd, self.files.borrow().descriptor(eventfd))
    }

    pub fn forget(&self, request: &Request) {
        self.open.borrow_mut().retain(|open| !ptr::eq(*open, request));
    }

    /// An eventfd's count goes up.
    pub fn signal(&self, file: usize, count: u64) {
        self.files.borrow_mut().file(file).counts[0] += count;
    }

    pub fn expect_signal(&self, file: usize) {
        self.files.borrow_mut().file(file).counts[1] += 1;
    }

    pub fn pass_time(&self, nanoseconds: u64) {
        self.clock.set(self.clock.get() + nanoseconds);
    }

    fn as_thread<T>(&self, thread: Thread, work: impl FnOnce() -> T) -> T {
        let before = self.thread.replace(thread);
        let done = work();
        self.thread.set(before);
        done
    }

    /// Another thread, or the kernel, does something. Whether there was anything to do for the one that was chosen.
    pub fn pump(&self) -> bool {
        let has_done = self.pump_one();
        self.look();
        has_done
    }

    fn pump_one(&self) -> bool {
        match self.random.below(8) {
            0..3 => self.run_uring(),
            3..6 => self.run_workers(),
            6 => self.ring.try_borrow_mut().is_ok_and(|mut ring| ring.as_mut().is_some_and(|ring| ring.progress(self))),
            _ => self.crew.try_borrow_mut().is_ok_and(|mut crew| crew.progress(self)),
        }
    }

    /// Each of them does what it can. Whether there was anything.
    pub fn pump_all(&self) -> bool {
        let mut any = false;
        any |= self.run_uring();
        any |= self.run_workers();
        any |= self.ring.try_borrow_mut().is_ok_and(|mut ring| ring.as_mut().is_some_and(|ring| ring.progress(self)));
        any |= self.crew.try_borrow_mut().is_ok_and(|mut crew| crew.progress(self));
        self.look();
        any
    }

    /// A part of a turn of the thread of the engine on io_uring.
    fn run_uring(&self) -> bool {
        let Ok(mut place) = self.uring_thread.try_borrow_mut() else { return false };
        let Some(engine) = engines::uring() else { return false };
        self.as_thread(Thread::Uring, || {
            if self.starting[Carrier::Uring as usize].take() {
                *place = self.begin_uring(engine);
                return true;
            }
            let Some(thread) = &mut *place else { return false };
            let mut slept = None;
            if thread.is_asleep {
                let how = thread.sleep.expect("how it sleeps");
                if !self.wakes(how, &thread.reactor) {
                    return false;
                }
                thread.is_asleep = false;
                thread.reactor.device_mut().sleep(how);
                if thread.reactor.woke(how) {
                    *place = None;
                    self.end_ring();
                    engine.rest();
                    return true;
                }
                slept = thread.sleep;
            }
            self.is_woken.set(false);
            match thread.reactor.step(slept) {
                Next::Again => {}
                Next::Sleep(how) => (thread.sleep, thread.is_asleep) = (Some(how), true),
                Next::End(End::Idle) => unreachable!("a sleep ends so"),
                Next::End(End::Closed) => {
                    if let Some(thread) = place.take() {
                        failover::after(engine, thread.reactor);
                    }
                    self.end_ring();
                }
            }
            true
        })
    }

    fn end_ring(&self) {
        if let Some(ring) = self.ring.take()
            && !ring.is_lost
        {
            assert!(!ring.is_busy(), "a ring is closed with something under way");
            assert_eq!(ring.held(), 0, "files are held in a ring that is closed");
        }
    }

    /// Whether a sleep of the thread's ends.
    fn wakes(&self, how: Sleep, reactor: &Reactor<Uring>) -> bool {
        let has_completions =
            self.ring.borrow().as_ref().is_some_and(Ring::has_completions) || reactor.device().has_early();
        let is_spurious = !self.is_calm.get() && self.random.one_in(16);
        match how {
            Sleep::Timed(nanoseconds) => {
                self.pass_time(nanoseconds.into());
                true
            }
            Sleep::Armed(deadline) if reactor.device().sleeps_outside() => {
                self.is_woken.get() || deadline.is_over() || is_spurious
            }
            // A ring that is lost cannot be slept in.
            Sleep::Armed(deadline) => {
                has_completions || deadline.is_over() || is_spurious || reactor.device().lost().is_some()
            }
        }
    }

    fn begin_uring(&self, engine: &'static Engine) -> Option<UringThread> {
        engine.begin_thread();
        let is_first = engine.state.load(Ordering::Relaxed) == STARTING;
        if !is_first {
            engine.begin_serving();
        }
        if !self.is_calm.get() && self.random.one_in(24) {
            engine.decide(UNAVAILABLE);
            if !is_first {
                failover::forward(engine);
            }
            return None;
        }
        let (ring, device) = Ring::new(self, &engine.doorbell);
        *self.ring.borrow_mut() = Some(ring);
        engine.wants_signal.store(device.wants_signal().unwrap_or(0), Ordering::Relaxed);
        if is_first {
            engine.begin_serving();
        }
        Some(UringThread { reactor: Reactor::new(engine, device), sleep: None, is_asleep: false })
    }

    /// A turn of the workers'.
    fn run_workers(&self) -> bool {
        let Ok(mut place) = self.workers_reactor.try_borrow_mut() else { return false };
        let Some(engine) = engines::all().find(|engine| engine.carrier() == Carrier::Workers) else { return false };
        self.as_thread(Thread::Workers, || {
            if self.starting[Carrier::Workers as usize].take() {
                *place = Some(Reactor::new(engine, Workers));
                engine.begin_serving();
                self.crew.borrow_mut().is_called = true;
                return true;
            }
            let Some(reactor) = &mut *place else { return false };
            let has_work = {
                let mut crew = self.crew.borrow_mut();
                core::mem::take(&mut crew.is_called) || !crew.events.is_empty()
            };
            if has_work {
                engine.thread.store(Thread::Workers as i32, Ordering::Relaxed);
                reactor.turn();
                engine.thread.store(0, Ordering::Relaxed);
                let ended = |event: &Event| matches!(event, Event::Done(..));
                assert!(!self.crew.borrow().events.iter().any(ended), "an end that no thread will be woken for");
                self.quiet_since.set(self.clock.get());
                return true;
            }
            let is_over = self.clock.get() > self.quiet_since.get() + IDLE_EXIT_MS * 1_000_000;
            if reactor.is_idle() && is_over && engine.leave() {
                *place = None;
                assert_eq!(self.crew.borrow().held(), 0, "the workers hold files with nothing outstanding");
                engine.rest();
                return true;
            }
            false
        })
    }

    /// Whether neither engine has a thread.
    pub fn is_at_rest(&self) -> bool {
        engines::all().all(|engine| ![SERVING, STARTING].contains(&engine.state.load(Ordering::Relaxed)))
            && self.starting.iter().all(|starting| !starting.get())
    }

    /// io_uring is taken away.
    pub fn lose_ring(&self) {
        if let Some(ring) = &mut *self.ring.borrow_mut() {
            ring.is_lost = true;
            self.is_lost.set(true);
        }
    }

    fn start(&self, carrier: Carrier) -> Result<(), Errno> {
        if !self.is_calm.get() && self.random.one_in(16) {
            self.has_refused_thread.set(true);
            return Err(Errno(libc::EAGAIN));
        }
        self.starting[carrier as usize].set(true);
        Ok(())
    }

    /// `FUTEX_WAIT`: the others go on until the word changes, or the time is over.
    pub fn wait(&self, word: &AtomicU32, expected: u32, until: u64) -> isize {
        const MOST: u32 = 200_000;
        if word.load(Ordering::Relaxed) != expected {
            return -libc::EAGAIN as isize;
        }
        let is_doorbell = engines::all().any(|engine| ptr::eq(word, &raw const engine.doorbell));
        if self.thread.get() == Thread::Uring && is_doorbell {
            return if self.clock.get() >= until { -libc::ETIMEDOUT as isize } else { -libc::EINTR as isize };
        }
        // As where a handler runs, in a call that has no time limit of the library's.
        if self.program.is_some() && until == u64::MAX && !self.is_calm.get() && self.random.one_in(16) {
            return -libc::EINTR as isize;
        }
        self.sleeps.borrow_mut().push((ptr::from_ref(word).addr(), false));
        for _ in 0..MOST {
            let (is_over, is_woken) =
                (self.clock.get() >= until, self.sleeps.borrow().last().is_some_and(|sleep| sleep.1));
            if is_over || is_woken {
                let is_missed = !is_woken && word.load(Ordering::Relaxed) != expected;
                assert!(!is_missed || self.program.is_none(), "a call was not woken, and goes on by its time limit");
                self.sleeps.borrow_mut().pop();
                return if is_woken { 0 } else { -libc::ETIMEDOUT as isize };
            }
            self.pump();
            self.pass_time(1 << self.random.below(18));
        }
        panic!("a call waits for ever");
    }

    pub fn wake(&self, address: usize) {
        self.sleeps.borrow_mut().iter_mut().filter(|sleep| sleep.0 == address).for_each(|sleep| sleep.1 = true);
        for engine in engines::all() {
            if address != (&raw const engine.doorbell).addr() {
                continue;
            }
            match engine.carrier() {
                Carrier::Workers => self.crew.borrow_mut().is_called = true,
                Carrier::Uring => {
                    self.is_woken.set(true);
                    if let Some(ring) = &mut *self.ring.borrow_mut() {
                        ring.woken(address);
                    }
                }
            }
        }
    }
}

/// As the library's own. Between the settling and the close the engine on io_uring goes on, as it may.
static CLOSES: Hooks = Hooks {
    settle: || {
        (HOOKS.settle)();
        // SAFETY: as in `world`.
        if let Some(world) = unsafe { WORLD.get().as_ref() } {
            (0..world.random.below(4)).for_each(|_| _ = world.run_uring());
        }
    },
    ..HOOKS
};

/// What is with io_uring is to end, and nothing more goes there.
pub fn close_ring() {
    use crate::engine::lifecycle::CLOSING;
    let Some(engine) = engines::uring() else { return };
    let change = |from, to| engine.state.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok();
    if change(SERVING, CLOSING) {
        engine.notify();
    } else {
        change(RESTING, UNAVAILABLE);
    }
}

fn start_uring(_: &'static Engine) -> Result<(), Errno> {
    world().start(Carrier::Uring)
}

fn start_workers(_: &'static Engine) -> Result<(), Errno> {
    world().start(Carrier::Workers)
}

fn now() -> u64 {
    world().clock.get()
}
