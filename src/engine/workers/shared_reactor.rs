//! The reactor that the workers share: one thread at a time has it, with whatever it refers to.

use core::cell::UnsafeCell;
use core::ffi::c_int;
use core::sync::atomic::Ordering;

use super::combiner::Combiner;
use super::crew::Crew;
use super::device::Workers;
use crate::engine::reactor::Reactor;
use crate::host::fd_broker::FdBroker;

/// The reactor, and all that the threads share. Never freed.
pub struct SharedReactor {
    pub crew: &'static Crew,
    combiner: Combiner,
    /// Touched by the thread that has the combiner.
    reactor: UnsafeCell<Option<Box<Reactor<Workers>>>>,
}

// SAFETY: the reactor is touched by the thread that has the combiner alone, and moves with it from thread to thread:
// all that it refers to is its own or shared.
unsafe impl Sync for SharedReactor {}

impl SharedReactor {
    /// Without a reactor yet.
    pub fn new(crew: &'static Crew) -> Self {
        Self { crew, combiner: Combiner::new(), reactor: UnsafeCell::new(None) }
    }

    /// Puts a reactor in, or takes it out.
    ///
    /// # Safety
    /// No other thread uses the reactor.
    pub unsafe fn set(&self, reactor: Option<Box<Reactor<Workers>>>) {
        // SAFETY: the caller's promise.
        unsafe { *self.reactor.get() = reactor };
        self.combiner.abandon();
    }

    /// Has the reactor run: by this thread, whose id is `me`, or by the one that is at it.
    pub fn run(&self, me: c_int) {
        self.combiner.run(|| {
            // SAFETY: the combiner has one thread at a time call it.
            unsafe { self.turn(me) };
        });
    }

    /// The same for the last worker, which leaves the reactor behind if nothing is outstanding and `leaves` says so.
    /// Whether it did.
    pub fn run_and_leave(&self, me: c_int, leaves: impl FnOnce() -> bool) -> bool {
        if !self.combiner.enter() {
            return false;
        }
        self.combiner.hold();
        // SAFETY: this thread has the combiner.
        if unsafe { self.turn(me) && !self.tidy() } && leaves() {
            // The combiner stays taken, until the poller takes the reactor out.
            return true;
        }
        while !self.combiner.exit() {
            self.combiner.hold();
            // SAFETY: the same.
            unsafe { self.turn(me) };
        }
        false
    }

    /// Has closed what is kept between requests. Whether there was anything: then it is closed by workers first.
    ///
    /// # Safety
    /// The calling thread has the combiner.
    unsafe fn tidy(&self) -> bool {
        // SAFETY: the caller's promise.
        let tidies = unsafe { &mut *self.reactor.get() }.as_mut().is_some_and(|reactor| reactor.tidy());
        if tidies {
            self.crew.begin_tidying();
        }
        tidies
    }

    /// One turn. Whether nothing is outstanding afterwards.
    ///
    /// # Safety
    /// The calling thread has the combiner.
    unsafe fn turn(&self, me: c_int) -> bool {
        // SAFETY: the caller's promise.
        let Some(reactor) = (unsafe { &mut *self.reactor.get() }) else { return false };
        let (engine, broker) = (self.crew.engine, FdBroker::current());
        engine.thread.store(me, Ordering::Relaxed);
        if let Some(broker) = broker {
            broker.set_client(me);
        }
        reactor.turn();
        if let Some(broker) = broker {
            broker.set_client(0);
        }
        engine.thread.store(0, Ordering::Relaxed);
        let is_idle = reactor.is_idle();
        self.crew.note_busy(!is_idle);
        is_idle
    }
}
