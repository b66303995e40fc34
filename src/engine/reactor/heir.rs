//! Going on after io_uring was taken away: a filter that the program sets for all its threads (seccomp with `TSYNC`) can
//! refuse the calls of a ring that serves already.
//!
//! What the kernel has is then out of reach for the thread that owns the ring, but not lost. When that thread ends, the
//! kernel goes on with what it has, and writes completions into the ring's memory, which stays mapped. What would have
//! waited for a stream moves no bytes any more: it ends with `-ECANCELED` as soon as the stream is ready (and its file is
//! held until then). So the thread names an heir and ends; the heir waits for its end, gives what the kernel never took to
//! another device, and reads completions from the old ring until there are no more. Each operation is finished once, or
//! carried out anew, never both.

use core::ffi::c_int;
use core::ptr::NonNull;
use core::time::Duration;
use std::collections::{HashMap, VecDeque};

use super::{Reactor, Stage};
use crate::engine::device::{Device, Event, Sleep};
use crate::engine::dozer::Dozer;
use crate::engine::operation::{Kind, Operation, Order};
use crate::engine::pins::{Pin, Sharers};
use crate::engine::uring::Uring;
use crate::host::descriptors;
use crate::host::futex;
use crate::host::kernel::{self, Errno, syscall};

/// How often the old ring is looked at while it owes completions: nobody rings for them.
const LOOK: Duration = Duration::from_millis(5);

const CANCELED: i64 = Errno(libc::ECANCELED).negated();

/// Marks an operation that the old ring has.
const FORMER: *const () = core::ptr::without_provenance(1);

/// What a thread leaves.
pub struct Estate {
    reactor: Reactor<Uring>,
    /// The thread that owns the ring, and ends.
    thread: c_int,
}

// SAFETY: the former owner touches nothing of it any more, and the ring's memory may be read by any thread.
unsafe impl Send for Estate {}

impl Estate {
    /// What the calling thread leaves.
    pub fn of(reactor: Reactor<Uring>) -> Self {
        Self { reactor, thread: kernel::thread_id() }
    }

    /// Why there is something to inherit.
    pub fn loss(&self) -> Errno {
        self.reactor.device.loss().unwrap_or(Errno(libc::EIO))
    }

    /// Waits for the former owner's end.
    pub fn wait(&self) {
        // SAFETY: signal 0 only asks whether the thread is there.
        while unsafe { syscall!(libc::SYS_tgkill, kernel::process_id(), self.thread, 0) } != Err(Errno(libc::ESRCH)) {
            futex::nap();
        }
    }

    /// Goes on with `device`.
    pub fn inherit<D: Device>(self, device: D) -> Reactor<Inherited<D>> {
        let Self { reactor: mut former, .. } = self;
        former.ring();
        let mut heir = Reactor {
            inbox: former.inbox,
            device: Inherited {
                device,
                former: former.device,
                bells: HashMap::new(),
                events: VecDeque::new(),
                dismissed: Vec::new(),
            },
            orders: former.orders,
            ready: former.ready,
            living: former.living,
            stopping: former.stopping,
            tickets: former.tickets,
            answers: former.answers,
            loose: Vec::new(),
            bells: Sharers::default(),
            wakes: former.wakes,
            dozer: Dozer::new(),
        };
        heir.adopt_bells(&former.bells);
        for operation in heir.adopt_files() {
            heir.device.issue(operation, false);
        }
        // What has completed by now may have been stopped by whom it was asked; see `Inherited::next`.
        while let Some(event) = heir.device.former.next() {
            match event {
                // SAFETY: the engine's thread owns the operation until it is finished.
                Event::Done(operation, CANCELED) if !unsafe { operation.as_ref() }.unwanted => {
                    heir.device.issue(operation, false);
                }
                Event::Done(operation, result) => heir.done(operation, result),
                Event::Cancel(ticket, stopped) => heir.answered(ticket, stopped),
                Event::Rung(pin, count) => {
                    if let Some(&pin) = heir.device.bells.get(&pin) {
                        heir.let_bell_go(pin, count);
                    }
                }
            }
        }
        for index in 0..heir.stopping.len() {
            let (operation, ticket) = (heir.stopping[index].operation, heir.stopping[index].ticket);
            heir.device.cancel(operation, ticket);
        }
        heir.issue_ready();
        heir.flush();
        heir.wakes.wake_now();
        // What was accepted without reaching the kernel has reached it now.
        heir.inbox.all_reached();
        heir
    }
}

impl<D: Device> Reactor<Inherited<D>> {
    /// Holds the eventfds anew, and rings what was not rung.
    fn adopt_bells(&mut self, former: &Sharers) {
        for (pin, count, (fd, generation)) in former.all() {
            if descriptors::generation(fd) == generation
                && let Ok(new) = self.device.pin(fd)
            {
                self.bells.insert(new, fd, generation);
                self.bells.join(new, count - 1);
                self.device.bells.insert(pin, new);
            }
        }
        for (pin, count) in self.device.former.unrung() {
            self.device.ring_again(pin, count);
        }
    }

    /// Holds the files of all operations anew, as far as their numbers still lead to them. Those that were issued without
    /// reaching the kernel.
    fn adopt_files(&mut self) -> Vec<NonNull<Operation>> {
        let mut again = Vec::new();
        for mut operation in self.living.matching(|_| true) {
            // SAFETY: not finished, so the engine's, and this thread's alone.
            let this: &mut Operation = unsafe { operation.as_mut() };
            this.bell = this.bell.and_then(|bell| self.device.bells.get(&bell).copied());
            let known = descriptors::generation(this.fd) == this.fd_generation;
            if !known {
                // The file went with the ring: a closed number may lead to another.
                this.fd = -1;
            }
            this.pin = if this.pin.is_some() && known { self.device.pin(this.fd).ok() } else { None };
            if this.stage == Stage::Issued {
                if self.device.former.has(this) {
                    this.handle = FORMER;
                } else {
                    again.push(operation);
                }
            }
        }
        again
    }
}

/// A device, and a ring that completes what it has and takes no more.
pub struct Inherited<D> {
    device: D,
    former: Uring,
    /// The pins of the eventfds, by those that the old ring knows.
    bells: HashMap<Pin, Pin>,
    events: VecDeque<Event>,
    /// Operations of the old ring that were stopped, and whose completions are to be overlooked.
    dismissed: Vec<NonNull<Operation>>,
}

impl<D: Device> Inherited<D> {
    fn ring_again(&mut self, pin: Pin, count: u32) {
        if let Some(&pin) = self.bells.get(&pin) {
            self.device.ring(pin, count);
        }
    }

    /// What the old ring has completed.
    fn next_former(&mut self) -> Option<Event> {
        loop {
            let Some(event) = self.former.next() else {
                for (pin, count) in self.former.take_failed_bells() {
                    self.ring_again(pin, count);
                }
                return None;
            };
            match event {
                Event::Done(operation, result) => {
                    if let Some(index) = self.dismissed.iter().position(|&dismissed| dismissed == operation) {
                        self.dismissed.swap_remove(index);
                    } else if result == CANCELED {
                        // Nobody asked for that: `cancel` below answers for these by itself.
                        self.device.issue(operation, false);
                    } else {
                        return Some(event);
                    }
                }
                Event::Rung(pin, count) => {
                    if let Some(&pin) = self.bells.get(&pin) {
                        return Some(Event::Rung(pin, count));
                    }
                }
                Event::Cancel(..) => {}
            }
        }
    }
}

impl<D: Device> Device for Inherited<D> {
    fn has_room(&self) -> bool {
        self.device.has_room()
    }

    fn in_flight(&self) -> usize {
        self.device.in_flight() + self.former.owed()
    }

    fn issue(&mut self, operation: NonNull<Operation>, patiently: bool) {
        // SAFETY: the engine's thread owns the operation until it is finished.
        unsafe { (*operation.as_ptr()).handle = core::ptr::null() };
        self.device.issue(operation, patiently);
    }

    fn cancel(&mut self, operation: NonNull<Operation>, ticket: u64) {
        // SAFETY: as above.
        let this = unsafe { operation.as_ref() };
        if this.handle != FORMER {
            return self.device.cancel(operation, ticket);
        }
        // Waiting for a stream: no bytes move any more. Anything else may be under way.
        let stopped = this.kind == Kind::Poll || this.order == Order::Reading;
        if stopped {
            self.dismissed.push(operation);
            self.events.push_back(Event::Done(operation, CANCELED));
        }
        self.events.push_back(Event::Cancel(ticket, stopped));
    }

    fn pin(&mut self, fd: i32) -> Result<Pin, Errno> {
        self.device.pin(fd)
    }

    fn unpin(&mut self, pin: Pin) {
        self.device.unpin(pin);
    }

    fn ring(&mut self, pin: Pin, count: u32) {
        self.device.ring(pin, count);
    }

    fn flush(&mut self) {
        self.device.flush();
    }

    fn prepare_sleep(&mut self) {
        self.device.prepare_sleep();
    }

    fn sleep(&mut self, how: Sleep) {
        if !self.events.is_empty() {
            return;
        }
        let nobody_rings = self.former.owed() > 0 && matches!(how, Sleep::Sound(_));
        self.device.sleep(if nobody_rings { Sleep::Doze(LOOK.as_nanos() as u32) } else { how });
    }

    fn has_descriptors(&self) -> bool {
        self.device.has_descriptors()
    }

    fn next(&mut self) -> Option<Event> {
        self.events.pop_front().or_else(|| self.next_former()).or_else(|| self.device.next())
    }
}
