//! The engine's thread: takes what was submitted, keeps order, issues, sleeps, delivers.
//!
//! One turn:
//!
//! ```text
//!     take the inbox ─→ order: go, or be held ─→ device ─→ flush: the kernel has the files ("settled")
//!          ↑                     │ released                                    │
//!     sleep (sound, or doze) ←── deliver: finish, wake, ring eventfds ←── completions
//! ```

pub mod heir;

use core::ptr::NonNull;

use super::cancel::{Command, Outcome};
use super::device::{Device, Event, Sleep};
use super::dozer::Dozer;
use super::inbox::{self, Inbox};
use super::living::Living;
use super::operation::{Kind, Operation, Order, Stage};
use super::order::Orders;
use super::pins::{Pin, Sharers};
use super::private;
use super::queue::Queue;
use super::wakes::Wakes;
use crate::host::descriptors;
use crate::host::kernel::syscall;
use crate::stats::{self, Lane, Notice};

/// What the engine's thread knows.
pub struct Reactor<D> {
    inbox: &'static Inbox<Operation>,
    device: D,
    orders: Orders,
    /// May go, and wait for room in the device.
    ready: Queue,
    living: Living,
    /// Operations that a command tries to stop, until the device has answered and the operation is done.
    stopping: Vec<Stopping>,
    tickets: u64,
    /// Commands that have been carried out, to be answered after the next flush.
    answers: Vec<NonNull<Command>>,
    /// Pins of operations that have been issued but not flushed: to be let go after the flush.
    loose: Vec<Pin>,
    /// Which eventfds are held, and by how many.
    bells: Sharers,
    wakes: Wakes,
    dozer: Dozer,
}

struct Stopping {
    ticket: u64,
    operation: NonNull<Operation>,
    command: NonNull<Command>,
}

/// Bytes of a stream write that no kernel splits (`PIPE_BUF` is 4096; a socket may take less at once).
const WHOLE: usize = 512;

impl<D: Device> Reactor<D> {
    /// A reactor for `inbox` on `device`.
    #[must_use]
    pub fn new(inbox: &'static Inbox<Operation>, device: D) -> Self {
        Self {
            inbox,
            device,
            orders: Orders::default(),
            ready: Queue::new(),
            living: Living::default(),
            stopping: Vec::new(),
            tickets: 0,
            answers: Vec::new(),
            loose: Vec::new(),
            bells: Sharers::default(),
            wakes: Wakes::new(),
            dozer: Dozer::new(),
        }
    }

    /// Runs for as long as the device serves. What was accepted and is not finished is in the reactor that is given back.
    #[must_use]
    pub fn run(mut self) -> Self {
        let mut dozed = false;
        loop {
            self.take();
            if self.device.is_lost() {
                return self;
            }
            let completed = self.deliver();
            private::look();
            self.dozer.note(completed, dozed);
            dozed = !self.inbox.is_waiting() && self.rest();
        }
    }

    /// Takes the inbox, and sees to it that the kernel has what was taken.
    fn take(&mut self) {
        while let Some(oldest) = self.inbox.take() {
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
            if self.device.is_lost() || self.inbox.all_reached() {
                break;
            }
        }
    }

    fn accept(&mut self, mut operation: NonNull<Operation>) {
        // SAFETY: the operation is the engine's until it is finished, and this thread's alone.
        let this = unsafe { operation.as_mut() };
        this.bell = None;
        let Some(action) = this.kind.action() else {
            match Command::of(operation) {
                Some(command) => self.stop(command),
                None => self.finish(operation, 0),
            }
            return;
        };
        stats::accepted(this.face, action);
        this.stage = Stage::Held;
        this.moved = 0;
        this.unwanted = false;
        this.pin = None;
        this.fd_generation = descriptors::generation(this.fd);
        self.living.insert(operation);
        if this.eventfd >= 0 {
            match self.hold_bell(this.eventfd) {
                Ok(pin) => this.bell = Some(pin),
                Err(errno) => {
                    this.order = Order::Free;
                    return self.finish(operation, errno.negated());
                }
            }
        }
        if self.orders.accept(operation) {
            // What may need more than one transfer must find its file again.
            if this.is_stream_write() && this.length > WHOLE {
                self.hold(operation);
            }
            if self.ready.is_empty() && self.device.has_room() {
                return self.issue(operation);
            }
            self.ready.push(operation);
        }
        self.hold(operation);
    }

    /// Pins the file of an operation that cannot be issued now, before the program may close the descriptor. Where no pin
    /// can be had, the descriptor has to do; whether it is still the same is looked at later.
    fn hold(&mut self, mut operation: NonNull<Operation>) {
        // SAFETY: as in `accept`.
        let this = unsafe { operation.as_mut() };
        if this.pin.is_none() {
            this.pin = self.device.pin(this.fd).ok();
        }
    }

    fn hold_bell(&mut self, fd: i32) -> Result<Pin, crate::host::kernel::Errno> {
        let generation = descriptors::generation(fd);
        if let Some(pin) = self.bells.share(fd, generation) {
            return Ok(pin);
        }
        let pin = self.device.pin(fd)?;
        self.bells.insert(pin, fd, generation);
        Ok(pin)
    }

    fn issue(&mut self, mut operation: NonNull<Operation>) {
        // SAFETY: as in `accept`.
        let this = unsafe { operation.as_mut() };
        if !this.has_its_file() {
            // Held back without a pin, and the program has closed the descriptor meanwhile.
            return self.finish(operation, -i64::from(libc::EBADF));
        }
        this.stage = Stage::Issued;
        self.device.issue(operation, false);
    }

    /// Issues what may go, as far as there is room.
    fn issue_ready(&mut self) {
        while self.device.has_room() {
            let Some(operation) = self.ready.pop() else { break };
            self.issue(operation);
        }
    }

    /// Hands all that was issued to the kernel. What waited for that is done then: answers to commands, and letting go
    /// pins that the kernel's own references have made needless.
    fn flush(&mut self) {
        self.device.flush();
        if self.device.is_lost() {
            return;
        }
        while let Some(pin) = self.loose.pop() {
            self.device.unpin(pin);
        }
        while let Some(command) = self.answers.pop() {
            Command::answer(command, &mut self.wakes);
        }
    }

    /// Sleeps until there is something to do. Whether it was a doze.
    fn rest(&mut self) -> bool {
        if let Some(nanoseconds) = self.dozer.may_doze(self.device.in_flight())
            && self.device.can_doze()
        {
            stats::slept(false);
            self.device.sleep(Sleep::Doze(nanoseconds));
            return true;
        }
        self.device.prepare_sleep();
        if self.inbox.fall_asleep() {
            stats::slept(true);
            self.device.sleep(Sleep::Sound(private::pause()));
            self.inbox.wake_up();
        }
        false
    }

    /// Finishes what has completed, issues what that released, and then wakes and rings. How many completed.
    fn deliver(&mut self) -> u32 {
        let mut completed = 0;
        while let Some(event) = self.device.next() {
            match event {
                Event::Done(operation, result) => {
                    completed += 1;
                    self.done(operation, result);
                }
                Event::Cancel(ticket, stopped) => self.answered(ticket, stopped),
                Event::Rung(pin, count) => self.let_bell_go(pin, count),
            }
            if self.wakes.is_full() {
                self.ring();
            }
        }
        self.issue_ready();
        self.ring();
        self.flush();
        self.wakes.wake_now();
        completed
    }

    fn ring(&mut self) {
        let device = &mut self.device;
        self.wakes.take_bells(|pin, count| {
            stats::notified(Notice::Eventfd, count.into());
            device.ring(pin, count);
        });
    }

    fn let_bell_go(&mut self, pin: Pin, count: u32) {
        if self.bells.leave(pin, count) {
            self.device.unpin(pin);
        }
    }

    /// The device is done with an operation: that may not be the end of it.
    fn done(&mut self, mut operation: NonNull<Operation>, result: i64) {
        // SAFETY: as in `accept`.
        let this = unsafe { operation.as_mut() };
        let mut result = result;
        let again = match i32::try_from(-result) {
            // An attempt to stop it can show as an interruption, at once or after the answer that it goes on.
            Ok(libc::EINTR) if this.unwanted => {
                result = -i64::from(libc::ECANCELED);
                false
            }
            Ok(libc::EINTR) => true,
            // A device that has O_NONBLOCK set, and knows no other way to be asked not to wait (a terminal).
            Ok(libc::EOPNOTSUPP)
                if this.nonblocking && this.rw_flags & libc::RWF_NOWAIT == 0 && self.device.has_descriptors() =>
            {
                result = in_place(this);
                false
            }
            // Nobody asked not to wait, so the answer is not for the program.
            Ok(libc::EAGAIN) => this.rw_flags & libc::RWF_NOWAIT == 0 && !this.nonblocking && this.kind != Kind::Poll,
            _ => false,
        };
        if again {
            if this.has_its_file() {
                return self.device.issue(operation, true);
            }
            result = -i64::from(libc::EIO);
        }
        if this.kind == Kind::Poll && result > 0 {
            result = this.told(result as u32).into();
        }
        if this.is_stream_write() {
            // A blocking write of a stream moves everything, or meets an error.
            if result > 0 && this.advance(result as usize) && !this.nonblocking && this.has_its_file() {
                return self.device.issue(operation, false);
            }
            if this.moved > 0 {
                result = this.moved as i64;
            }
        }
        self.finish(operation, result);
    }

    /// Ends an operation: lets go what it held, and hands it back to its face.
    fn finish(&mut self, operation: NonNull<Operation>, result: i64) {
        // SAFETY: as in `accept`; from the call of `finish` on it is not touched.
        let this = unsafe { operation.as_ref() };
        if this.kind != Kind::Chore {
            self.orders.finished(this, &mut self.ready);
            self.release(operation);
        }
        if !self.stopping.is_empty() {
            self.settle_stops(operation, result);
        }
        self.hand_back(operation, result);
    }

    /// Gives an operation, which nothing here knows any more, back to its face.
    fn hand_back(&mut self, mut operation: NonNull<Operation>, result: i64) {
        // SAFETY: as in `accept`; from the call of `finish` on it is not touched.
        let this = unsafe { operation.as_mut() };
        let (finish, bell) = (this.finish, this.bell);
        if let Some(action) = this.kind.action() {
            stats::finished(this.face, action, result);
            stats::timed(Lane::Engine, core::mem::take(&mut this.stamp));
        }
        self.wakes.begin(bell);
        // SAFETY: called once, with what the face submitted.
        unsafe { finish(operation, result, &mut self.wakes) };
        if let Some(unrung) = self.wakes.end() {
            self.let_bell_go(unrung, 1);
        }
        // Many may end in one turn: what one command drops, or what is refused as it is accepted.
        if self.wakes.is_full() {
            self.ring();
        }
    }

    fn release(&mut self, operation: NonNull<Operation>) {
        // SAFETY: as in `accept`.
        let this = unsafe { operation.as_ref() };
        if let Some(pin) = this.pin {
            self.loose.push(pin);
        }
        self.living.remove(operation);
    }

    /// Begins to stop what a command means.
    fn stop(&mut self, mut command: NonNull<Command>) {
        // SAFETY: a command lives until it is answered; only this thread touches these fields.
        let this = unsafe { command.as_mut() };
        let (means, argument) = (this.means, this.argument);
        let meant = |operation: NonNull<Operation>| {
            // SAFETY: the operation is alive, as `means` asks.
            unsafe { means(operation, argument) }
        };
        for mut operation in self.living.matching(meant) {
            // SAFETY: as in `accept`; nothing that is stopped here frees another.
            let (stage, moved, begun) = unsafe {
                let this = operation.as_ref();
                (this.stage, this.moved, this.begun)
            };
            match stage {
                _ if begun => this.outcome.refused += 1,
                Stage::Held => {
                    this.outcome.canceled += 1;
                    self.drop_held(operation);
                }
                Stage::Issued if moved > 0 => this.outcome.refused += 1,
                Stage::Issued => {
                    // SAFETY: the same.
                    unsafe { operation.as_mut() }.unwanted = true;
                    self.tickets += 1;
                    this.pending += 1;
                    self.stopping.push(Stopping { ticket: self.tickets, operation, command });
                    self.device.cancel(operation, self.tickets);
                }
            }
        }
        if this.pending == 0 {
            self.answers.push(command);
        }
    }

    /// Ends an operation that was not issued.
    fn drop_held(&mut self, operation: NonNull<Operation>) {
        let result = -i64::from(libc::ECANCELED);
        if self.ready.remove(operation) {
            return self.finish(operation, result);
        }
        self.orders.remove(operation, &mut self.ready);
        self.release(operation);
        self.hand_back(operation, result);
    }

    /// The device's answer to an attempt to stop. Where it was accepted, the operation's own end decides.
    fn answered(&mut self, ticket: u64, stopped: bool) {
        if stopped {
            return;
        }
        if let Some(index) = self.stopping.iter().position(|stopping| stopping.ticket == ticket) {
            let Stopping { command, .. } = self.stopping.swap_remove(index);
            self.count_stop(command, false);
        }
    }

    /// An operation has ended that commands were about to stop.
    fn settle_stops(&mut self, operation: NonNull<Operation>, result: i64) {
        while let Some(index) = self.stopping.iter().position(|stopping| stopping.operation == operation) {
            let Stopping { command, .. } = self.stopping.swap_remove(index);
            self.count_stop(command, result == -i64::from(libc::ECANCELED));
        }
    }

    fn count_stop(&mut self, mut command: NonNull<Command>, stopped: bool) {
        // SAFETY: as in `stop`; a command with answers pending is not answered yet.
        let this = unsafe { command.as_mut() };
        let Outcome { canceled, refused } = &mut this.outcome;
        *(if stopped { canceled } else { refused }) += 1;
        this.pending -= 1;
        if this.pending == 0 {
            self.answers.push(command);
        }
    }
}

/// Moves bytes of a stream by its descriptor, in the engine's thread. `O_NONBLOCK` is set: it does not wait.
fn in_place(operation: &Operation) -> i64 {
    let number = match operation.kind {
        Kind::Read => libc::SYS_read,
        Kind::Write => libc::SYS_write,
        Kind::ReadVector => libc::SYS_readv,
        Kind::WriteVector => libc::SYS_writev,
        _ => return -i64::from(libc::EOPNOTSUPP),
    };
    if descriptors::generation(operation.fd) != operation.fd_generation {
        return -i64::from(libc::EAGAIN);
    }
    // SAFETY: the buffers are the program's, or the kernel answers EFAULT; an array is the face's.
    match unsafe { syscall!(number, operation.fd, operation.address, operation.length) } {
        Ok(count) => count as i64,
        Err(errno) => errno.negated(),
    }
}

const _: () = assert!(align_of::<Operation>() >= 4, "the inbox marks its head in the low bits");
