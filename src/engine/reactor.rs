//! What an engine does with operations: takes what was submitted, keeps order, issues, delivers.
//!
//! One turn:
//!
//! ```text
//!     take the inbox ─→ order: go, or be held ─→ device ─→ flush: the kernel has the files ("settled")
//!          ↑                     │ released                                    │
//!        sleep ←── deliver: finish, wake, signal eventfds ←── completions ←────┘
//! ```
//!
//! The engine on io_uring has one thread, which runs turn after turn and sleeps in its ring ([`Reactor::run`]). With
//! the workers any thread runs the next turn that has something to do, one thread at a time (`super::workers::combiner`).

mod commands;
mod lost;
pub mod run;

use core::ptr::NonNull;

use super::cancel::Command;
use super::device::{Device, Event, Verdict};
use super::fixed_files::{FixedFile, SharedFixedFiles};
use super::lifecycle::{Carrier, Engine};
use super::operation::{CANCELED, History, Operation, Order, Stage};
use super::order::Orders;
use super::outstanding::Outstanding;
use super::queue::Queue;
use super::sleep_policy::SleepPolicy;
use super::wake_batch::{NO_NUMBERS, WakeBatch};
use super::{engines, inbox, redo, stand_in};
use crate::host::descriptors;
use crate::host::kernel::Errno;
use crate::stats::{self, Lane, Notification};

/// What an engine knows of its operations. One thread at a time has it.
pub struct Reactor<D> {
    engine: &'static Engine,
    device: D,
    orders: Orders,
    /// May go, and wait for room in the device.
    ready: Queue,
    outstanding: Outstanding,
    /// Operations that a command tries to stop, until the device has answered and the operation is done.
    stopping: Vec<Stopping>,
    tickets: u64,
    /// Commands that have been carried out, to be answered after the next flush.
    answers: Vec<NonNull<Command>>,
    /// Which eventfds are held, and by how many.
    eventfds: SharedFixedFiles,
    wakes: WakeBatch,
    sleep_policy: SleepPolicy,
    /// Whether something was issued that the device may refuse there and then ([`Operation::tries_without_waiting`]).
    has_tried: bool,
    /// Operations that completed while the inbox was taken.
    completed_early: u32,
    /// Stand-ins that are with the engine on io_uring.
    stand_ins: u32,
}

struct Stopping {
    ticket: u64,
    operation: NonNull<Operation>,
    command: NonNull<Command>,
}

impl<D: Device> Reactor<D> {
    /// A reactor for `engine` on `device`.
    #[must_use]
    pub fn new(engine: &'static Engine, device: D) -> Self {
        Self {
            engine,
            device,
            orders: Orders::default(),
            ready: Queue::new(),
            outstanding: Outstanding::default(),
            stopping: Vec::new(),
            tickets: 0,
            answers: Vec::new(),
            eventfds: SharedFixedFiles::default(),
            wakes: WakeBatch::new(),
            sleep_policy: SleepPolicy::new(),
            has_tried: false,
            completed_early: 0,
            stand_ins: 0,
        }
    }

    /// The device.
    pub const fn device(&self) -> &D {
        &self.device
    }

    /// The same, for a simulation that has it sleep.
    #[cfg(test)]
    pub const fn device_mut(&mut self) -> &mut D {
        &mut self.device
    }

    /// Takes and delivers until there is nothing to do, and leaves the inbox asleep: the next submitter notifies a
    /// thread. Or leaves it awake, if the device says that another turn comes soon in any case.
    pub fn turn(&mut self) {
        loop {
            self.take();
            self.deliver();
            if self.device.comes_again() {
                return self.engine.inbox.wake_up();
            }
            if self.engine.inbox.fall_asleep() {
                return;
            }
        }
    }

    /// There has been nothing to do for long: has the device close what it keeps. Whether there was anything.
    pub fn tidy(&mut self) -> bool {
        let tidies = self.device.tidy();
        self.device.flush();
        tidies
    }

    /// Whether nothing is outstanding, and nothing is held.
    pub fn is_idle(&self) -> bool {
        self.outstanding.is_empty() && self.stand_ins == 0 && self.answers.is_empty() && self.device.is_idle()
    }

    /// Takes the inbox, and sees to it that the kernel has what was taken.
    fn take(&mut self) {
        while let Some(oldest) = self.engine.inbox.take() {
            let mut next = Some(oldest);
            let mut count = 0;
            while let Some(operation) = next {
                // SAFETY: taken just now, and not accepted yet.
                next = unsafe { inbox::next(operation) };
                self.accept(operation);
                count += 1;
            }
            stats::took(count);
            self.flush();
            // What io_uring will not do without waiting goes to a worker before the program may close the descriptor.
            if core::mem::take(&mut self.has_tried) {
                self.completed_early = self.deliver();
            }
            self.engine.end_turn();
            if self.device.lost().is_some() || self.engine.inbox.all_reached() {
                break;
            }
        }
    }

    fn accept(&mut self, operation: NonNull<Operation>) {
        // SAFETY: reactor-owned.
        let (stage, kind) = unsafe { (operation.as_ref().stage, operation.as_ref().kind) };
        match stage {
            // It is back, with its result.
            Stage::WithWorker => return self.bring_back(operation),
            Stage::StandIn => return self.accept_stand_in(operation),
            _ => {}
        }
        let Some(action) = kind.action() else {
            if let Some(command) = Command::of(operation) {
                return self.carry_out(command);
            }
            let held = self.hold_eventfds(operation);
            if !self.has_diverted(operation, held) {
                // A notification is sent in any case.
                self.hand_back(operation, 0);
            }
            return;
        };
        let held = self.hold_eventfds(operation);
        if self.has_diverted(operation, held) {
            return;
        }
        self.begin(operation, action);
        if let Err(errno) = held {
            // SAFETY: reactor-owned. It has no place in the order yet.
            unsafe { (*operation.as_ptr()).stage = Stage::Ending };
            let is_lost = self.engine.carrier() == Carrier::Uring && errno != Errno(libc::ENFILE);
            self.finish(operation, if is_lost { Errno(libc::EIO) } else { errno }.negated());
            return;
        }
        match self.awaits_uring(operation) {
            Ok(true) => return self.hold(operation),
            Ok(false) => {}
            Err(errno) => {
                self.finish(operation, errno.negated());
                return;
            }
        }
        if self.orders.accept(operation) {
            if self.ready.is_empty() && self.device.has_room() {
                return self.issue(operation);
            }
            self.ready.push(operation);
        }
        self.hold(operation);
    }

    /// Whether an operation waits, with the workers, for what io_uring has of its file.
    fn awaits_uring(&mut self, operation: NonNull<Operation>) -> Result<bool, Errno> {
        // SAFETY: reactor-owned.
        let is_everywhere = unsafe { operation.as_ref() }.order == Order::BarrierEverywhere;
        let awaits = self.engine.carrier() == Carrier::Workers && is_everywhere && stand_in::send(operation)?;
        self.stand_ins += u32::from(awaits);
        Ok(awaits)
    }

    /// A stand-in waits for its turn here; or it is back, and what it stands for takes its place in the order of the workers.
    fn accept_stand_in(&mut self, operation: NonNull<Operation>) {
        if self.engine.carrier() == Carrier::Uring {
            if self.orders.accept(operation) {
                stand_in::send_back(operation);
            }
            return;
        }
        self.stand_ins -= 1;
        let Some(mut original) = stand_in::take_back(operation) else { return };
        // SAFETY: reactor-owned.
        unsafe { original.as_mut() }.stage = Stage::Held;
        if self.orders.accept(original) {
            self.ready.push(original);
        }
    }

    /// Takes note of an operation.
    fn begin(&mut self, mut operation: NonNull<Operation>, action: stats::Action) {
        // SAFETY: reactor-owned; nothing else refers to it in here.
        let this = unsafe { operation.as_mut() };
        if !this.is_internal {
            stats::accepted(this.face, action);
        }
        this.stage = Stage::Held;
        this.moved = 0;
        this.history = if this.is_internal { History::Waited } else { History::New };
        this.stop_error = 0;
        this.held = None;
        if !this.is_internal {
            this.fd_generation = descriptors::generation(this.fd);
        }
        self.outstanding.insert(operation);
    }

    /// Holds the file of an operation that cannot be issued now, before the program may close the descriptor. Where it
    /// cannot be held, the descriptor has to do; whether it is still the same is looked at later.
    fn hold(&mut self, mut operation: NonNull<Operation>) {
        // SAFETY: reactor-owned.
        let this = unsafe { operation.as_mut() };
        // It is issued when the program may have closed the descriptor, by which alone a worker finds the file.
        this.may_wait();
        if this.held.is_some() || !this.has_its_number() {
            return;
        }
        if let Ok(file) = self.device.hold_file(this.fd, Some((this.fd_generation, this.file))) {
            if this.has_its_number() {
                this.held = Some(file);
            } else {
                // A worker's copy, and the program has just closed the descriptor: this may be another file.
                self.device.release_file(file);
            }
        }
        this.history = this.history.max(History::Waited);
    }

    /// Holds the eventfds that an operation is to signal.
    fn hold_eventfds(&mut self, mut operation: NonNull<Operation>) -> Result<(), Errno> {
        // SAFETY: reactor-owned.
        let this = unsafe { operation.as_mut() };
        this.held_eventfds = [None; 2];
        for (&fd, held) in this.eventfds.iter().zip(&mut this.held_eventfds) {
            if fd >= 0 {
                *held = Some(self.hold_eventfd(fd)?);
            }
        }
        Ok(())
    }

    /// io_uring refuses to hold an eventfd, because it is being taken away: an operation that has not begun here goes to the
    /// workers as it is.
    fn has_diverted(&mut self, mut operation: NonNull<Operation>, held: Result<(), Errno>) -> bool {
        let is_refused = held.is_err_and(|errno| errno != Errno(libc::ENFILE));
        if !is_refused || self.engine.carrier() != Carrier::Uring {
            return false;
        }
        let Some(workers) = engines::workers() else { return false };
        // SAFETY: reactor-owned.
        let eventfds = core::mem::take(&mut unsafe { operation.as_mut() }.held_eventfds);
        eventfds.into_iter().flatten().for_each(|eventfd| self.release_eventfd(eventfd, 1));
        // SAFETY: as its submitter promised.
        unsafe { workers.submit(operation) };
        true
    }

    fn hold_eventfd(&mut self, fd: i32) -> Result<FixedFile, Errno> {
        let generation = descriptors::generation(fd);
        if let Some(shared) = self.eventfds.share(fd, generation) {
            return Ok(shared);
        }
        let held = self.device.hold_file(fd, None)?;
        self.eventfds.insert(held, fd, generation);
        Ok(held)
    }

    fn issue(&mut self, mut operation: NonNull<Operation>) {
        // SAFETY: reactor-owned.
        let this = unsafe { operation.as_mut() };
        if this.stage == Stage::StandIn {
            return stand_in::send_back(operation);
        }
        if !this.has_its_file() {
            // Held back without its file, and the program has closed the descriptor meanwhile.
            self.finish(operation, this.gone().negated());
            return;
        }
        this.stage = Stage::Issued;
        self.has_tried |= self.engine.carrier() == Carrier::Uring && this.tries_without_waiting();
        self.device.issue(operation, false);
    }

    /// Issues what may go, as far as there is room. Whether there was anything.
    fn issue_ready(&mut self) -> bool {
        let mut has_issued = false;
        while self.device.has_room() {
            let Some(operation) = self.ready.pop() else { break };
            self.issue(operation);
            has_issued = true;
        }
        has_issued
    }

    /// Hands all that was issued to the kernel. Commands that waited for that are answered then.
    fn flush(&mut self) {
        self.device.flush();
        if self.device.lost().is_some() {
            return;
        }
        while let Some(command) = self.answers.pop() {
            Command::answer(command, &mut self.wakes);
        }
    }

    /// Finishes what has completed, issues what that released, then wakes and signals. How many completed.
    pub fn deliver(&mut self) -> u32 {
        let mut completed = core::mem::take(&mut self.completed_early);
        loop {
            match self.device.next() {
                Some(Event::Done(operation, result)) => {
                    completed += 1;
                    self.done(operation, result);
                }
                Some(Event::NotStopped(ticket)) => self.not_stopped(ticket),
                Some(Event::Signalled(eventfd, count)) => self.release_eventfd(eventfd, count),
                // What is refused as it is issued has ended, and no thread is woken for that.
                None if self.issue_ready() => {}
                None => break,
            }
            if self.wakes.is_full() {
                self.signal_eventfds();
            }
        }
        self.signal_eventfds();
        self.flush();
        self.wakes.wake_now();
        completed
    }

    fn signal_eventfds(&mut self) {
        let (device, eventfds) = (&mut self.device, &self.eventfds);
        let is_lost = device.lost().is_some();
        self.wakes.take_eventfds(|eventfd, count| {
            stats::notified(Notification::Eventfd, count.into());
            if is_lost {
                eventfds.signal_by_number(eventfd, count);
            } else {
                device.signal_eventfd(eventfd, count);
            }
        });
    }

    fn release_eventfd(&mut self, eventfd: FixedFile, count: u32) {
        if self.eventfds.leave(eventfd, count) {
            self.device.release_file(eventfd);
        }
    }

    /// The device is done with an operation: that may not be the end of it.
    fn done(&mut self, mut operation: NonNull<Operation>, result: i64) {
        if let Some(command) = Command::of(operation) {
            // A file is closed that was kept.
            return self.count_down(command);
        }
        // SAFETY: reactor-owned.
        let this = unsafe { operation.as_mut() };
        this.history = this.history.max(History::Waited);
        let result = match self.device.judge(this, result) {
            Verdict::Finish(result) => result,
            Verdict::RetryBlocking if this.has_its_file() => {
                this.history = History::Retried;
                return self.device.issue(operation, true);
            }
            // A slot of the ring's is of no use to a worker.
            Verdict::RetryByWorker if this.has_its_number() && redo::redo(operation) => return,
            // Not one thread can be started in this process: the engine's own does it. It is on a file, and ends by itself.
            Verdict::RetryByWorker if this.has_its_number() => redo::do_here(this),
            // A part was done, and the rest cannot be.
            Verdict::RetryByWorker if result >= 0 => result,
            // Its file is gone: the answer was not the program's, and none is known.
            Verdict::RetryBlocking | Verdict::RetryByWorker => redo::lost(this),
        };
        self.finish(operation, result);
    }

    /// An operation is back from a worker, with its result.
    fn bring_back(&mut self, mut operation: NonNull<Operation>) {
        // SAFETY: reactor-owned.
        let this = unsafe { operation.as_mut() };
        let told = redo::told(this, this.offset);
        self.finish(operation, told);
    }

    /// Ends an operation: lets go what it held, and hands it back to its face. False: the device still closes its file,
    /// and reports it once more then.
    fn finish(&mut self, mut operation: NonNull<Operation>, result: i64) -> bool {
        // SAFETY: reactor-owned.
        let this = unsafe { operation.as_mut() };
        self.orders.finished(this, &mut self.ready);
        if let Some(file) = this.held.take()
            && self.device.release_first(file, operation, result)
        {
            this.stage = Stage::Ending;
            return false;
        }
        self.outstanding.remove(operation);
        if !self.stopping.is_empty() {
            self.settle_stops(operation, result);
        }
        self.hand_back(operation, result);
        true
    }

    /// Gives an operation, which nothing here knows any more, back to its face.
    fn hand_back(&mut self, mut operation: NonNull<Operation>, mut result: i64) {
        // SAFETY: reactor-owned; from the call of `finish` on it is not touched.
        let this = unsafe { operation.as_mut() };
        if result == CANCELED && this.stop_error != 0 {
            result = -i64::from(this.stop_error);
        }
        let (finish, eventfds) = (this.finish, core::mem::take(&mut this.held_eventfds));
        // What could not be held as it was accepted is still the program's.
        let is_unheld = |which: usize| this.eventfds[which] >= 0 && eventfds[which].is_none();
        let unheld = if is_unheld(0) || is_unheld(1) { this.eventfd_numbers() } else { NO_NUMBERS };
        if let Some(action) = this.kind.action()
            && !this.is_internal
        {
            stats::finished(this.face, action, result);
            stats::timed(Lane::Engine, core::mem::take(&mut this.stamp));
        }
        self.wakes.begin(eventfds, unheld);
        // SAFETY: called once, with what the face submitted.
        unsafe { finish(operation, result, &mut self.wakes) };
        for unsignalled in self.wakes.end().into_iter().flatten() {
            self.release_eventfd(unsignalled, 1);
        }
        // Many may end in one turn: what one command drops, or what is refused as it is accepted.
        if self.wakes.is_full() {
            self.signal_eventfds();
        }
    }
}

const _: () = assert!(align_of::<Operation>() >= 4, "the inbox marks its head in the low bits");
