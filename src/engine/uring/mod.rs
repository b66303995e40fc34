//! The device that is io_uring.

mod adapt;
#[cfg(test)]
mod answers_test;
pub mod permissions;
mod refused;
mod results;
mod ring;
mod ring_memory;
mod setup;
mod sqe;
#[cfg(test)]
mod tests;

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, Ordering};

use io_uring::opcode;
use io_uring::types::Fixed;

use super::device::{Device, Event, Name, Sleep, Verdict, Waits};
use super::device_times;
use super::fixed_files::{FixedFile, FixedFiles};
use super::operation::{NO_DEVICE, Operation};
#[cfg(test)]
use super::ring_layout::Parameters;
use super::ring_queues::Completion;
use crate::host::futex;
use crate::host::kernel::{self, Errno, syscall};
#[cfg(test)]
use core::ffi::c_void;
use refused::Refused;
use ring::Ring;
#[cfg(test)]
use ring_memory::RingMemory;
pub use setup::DOORBELL_SIGNAL;
#[cfg(not(test))]
use setup::Doorbell;
#[cfg(test)]
pub use setup::{Doorbell, FileTableAccess, RingName, RingSetup};

/// Completions kept free for entries that are not operations: cancellations, eventfds, the doorbell.
const AUXILIARY_ENTRIES: usize = 64;

/// With fewer in flight every operation is timed, otherwise one of so many.
const FEW_IN_FLIGHT: usize = 2;
const TIMED_EVERY: usize = 16;

/// The longest wait in the ring that has an end.
const MAX_WAIT_NS: u64 = 4_000_000_000;

/// What io_uring says of an operation that it has not begun, and never will.
const NOT_BEGUN: i64 = Errno(libc::ECANCELED).negated();

// What a completion belongs to, in the low bits of its user data; an operation's address has none.
const OPERATION: u64 = 0;
const DOORBELL: u64 = 1;
const CANCEL: u64 = 2;
const EVENTFD: u64 = 3;
const TAG: u64 = 3;

/// An addition to an eventfd that is under way.
struct Signal {
    /// What is written. The box keeps its address.
    amount: Box<u64>,
    file: FixedFile,
}

/// io_uring, and what must be remembered of what it was given.
pub struct Uring {
    ring: Ring,
    files: FixedFiles,
    in_flight: usize,
    doorbell: &'static AtomicU32,
    /// Whether the ring waits on the doorbell.
    armed: bool,
    /// The doorbell's value before a sleep outside the ring.
    before: Option<u32>,
    /// Cancellations and signals under way.
    auxiliary: usize,
    signals: Vec<Signal>,
    free_signals: Vec<usize>,
}

impl Uring {
    /// Makes the ring of the calling thread.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn new(doorbell: &'static AtomicU32) -> Result<Self, Refused> {
        let mut ring = Ring::new()?;
        adapt::adapt(&mut ring)?;
        Ok(Self::on(ring, doorbell))
    }

    fn on(ring: Ring, doorbell: &'static AtomicU32) -> Self {
        let files = FixedFiles::new(ring.files());
        Self {
            ring,
            files,
            in_flight: 0,
            doorbell,
            armed: false,
            before: None,
            auxiliary: 0,
            signals: Vec::new(),
            free_signals: Vec::new(),
        }
    }

    /// The thread that must be sent [`DOORBELL_SIGNAL`] with each notification, if that is how the ring sees it.
    pub fn wants_signal(&self) -> Option<i32> {
        (self.ring.doorbell() != Doorbell::Futex).then(kernel::thread_id)
    }

    /// Notes when an operation was issued, if it is of interest how long its device takes: few at once, and now and
    /// then one.
    fn stamp(&self, mut operation: NonNull<Operation>) {
        // SAFETY: reactor-owned.
        let this = unsafe { operation.as_mut() };
        let is_timed =
            this.device != NO_DEVICE && (self.in_flight < FEW_IN_FLIGHT || self.in_flight.is_multiple_of(TIMED_EVERY));
        this.handle = ptr::without_provenance(if is_timed { kernel::now() as usize } else { 0 });
    }

    fn note_time(operation: NonNull<Operation>) {
        // SAFETY: reactor-owned.
        let this = unsafe { operation.as_ref() };
        if this.device != NO_DEVICE && this.handle.addr() != 0 {
            device_times::note(this.device, kernel::now().saturating_sub(this.handle.addr() as u64));
        }
    }

    /// Takes the doorbell's signal, if it was sent: its sender has pushed before.
    fn drain_doorbell(&self) {
        if self.ring.doorbell() == Doorbell::Futex || self.ring.lost().is_some() {
            return;
        }
        let set = setup::signal_set(DOORBELL_SIGNAL);
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: reads the set and the time.
        let _ = unsafe {
            syscall!(libc::SYS_rt_sigtimedwait, &raw const set, ptr::null::<u8>(), &raw const now, size_of_val(&set))
        };
    }

    /// The next operation that the kernel has not begun, where the ring is lost. Eventfds are
    /// [signalled otherwise](Device::unsignalled), and whatever else the ring was to do there is no more.
    fn next_untaken(&mut self) -> Option<Event> {
        loop {
            let data = self.ring.take_back()?;
            if data & TAG == OPERATION {
                self.in_flight -= 1;
                return NonNull::new(data as *mut Operation).map(|operation| Event::Done(operation, NOT_BEGUN));
            }
        }
    }

    /// Lets the ring wait on the doorbell, which was notified `seen` times until now.
    fn arm(&mut self, seen: u32) {
        let entry = if let Doorbell::Signal(slot) = self.ring.doorbell() {
            opcode::PollAdd::new(Fixed(slot), libc::POLLIN as u32).build()
        } else {
            let word = self.doorbell.as_ptr();
            opcode::FutexWait::new(word, seen.into(), u32::MAX.into(), futex::PRIVATE_U32).build()
        };
        // SAFETY: a poll points to nothing, and the doorbell lives as long as the process.
        unsafe { self.ring.push(&entry.user_data(DOORBELL)) };
        self.armed = true;
    }
}

/// For a simulated kernel.
#[cfg(test)]
impl Uring {
    /// A device on a ring of this name, in memory that only a simulation reads. Where its queues and its entries are.
    pub fn simulated(
        parameters: Parameters,
        bytes: usize,
        name: RingName,
        (files, doorbell): (u32, Doorbell),
        futex: &'static AtomicU32,
    ) -> (Self, [*mut c_void; 2]) {
        let memory = RingMemory::simulated(parameters, bytes);
        let addresses = memory.queues.addresses();
        let setup = RingSetup { memory, name, doorbell, files, restricted: setup::Restricted::No };
        (Self::on(Ring::of(setup, Box::new(-1)), futex), addresses)
    }

    /// Whether it has completions that it has taken from the ring already: then it does not sleep.
    pub fn has_early(&self) -> bool {
        self.ring.has_early()
    }

    /// Whether the sleep that was prepared is one on the doorbell alone.
    pub const fn sleeps_outside(&self) -> bool {
        self.before.is_some()
    }
}

impl Device for Uring {
    fn has_room(&self) -> bool {
        self.in_flight + AUXILIARY_ENTRIES < self.ring.completions() as usize
    }

    fn in_flight(&self) -> usize {
        self.in_flight
    }

    fn issue(&mut self, operation: NonNull<Operation>, blocking: bool) {
        self.stamp(operation);
        // SAFETY: reactor-owned.
        let entry = sqe::of(unsafe { operation.as_ref() }, blocking).user_data(operation.as_ptr() as u64 | OPERATION);
        // SAFETY: the buffers stay by the promise of `Engine::submit`, or the kernel answers EFAULT.
        unsafe { self.ring.push(&entry) };
        self.in_flight += 1;
    }

    fn judge(&self, operation: &Operation, result: i64) -> Verdict {
        results::judge(operation, result)
    }

    fn cancel(&mut self, operation: NonNull<Operation>, ticket: u64) {
        let entry = opcode::AsyncCancel::new(operation.as_ptr() as u64).build().user_data(ticket << 2 | CANCEL);
        // SAFETY: points to nothing.
        unsafe { self.ring.push(&entry) };
        self.auxiliary += 1;
    }

    fn hold_file(&mut self, fd: i32, _: Option<Name>) -> Result<FixedFile, Errno> {
        let file = self.files.take().ok_or(Errno(libc::ENFILE))?;
        self.ring.set_file(file.slot(), fd).inspect_err(|_| self.files.give_back(file))?;
        Ok(file)
    }

    fn release_file(&mut self, file: FixedFile) {
        // Emptying a slot fails only if it is empty.
        let _ = self.ring.set_file(file.slot(), -1);
        self.files.give_back(file);
    }

    fn signal_eventfd(&mut self, file: FixedFile, count: u32) {
        let index = self.free_signals.pop().unwrap_or_else(|| {
            self.signals.push(Signal { amount: Box::new(0), file });
            self.signals.len() - 1
        });
        let signal = &mut self.signals[index];
        *signal.amount = count.into();
        signal.file = file;
        let entry = opcode::Write::new(Fixed(file.slot()), (&raw const *signal.amount).cast(), 8)
            .build()
            .user_data((index as u64) << 2 | EVENTFD);
        // SAFETY: the amount stays where it is until the completion frees the signal.
        unsafe { self.ring.push(&entry) };
        self.auxiliary += 1;
    }

    fn unsignalled(&mut self) -> Vec<(FixedFile, u32)> {
        // What reached the kernel was done there and then, and its completion was seen.
        let is_pending = |index: &usize| !self.free_signals.contains(index);
        let pending: Vec<usize> = (0..self.signals.len()).filter(is_pending).collect();
        self.free_signals.extend(&pending);
        pending.into_iter().map(|index| (self.signals[index].file, *self.signals[index].amount as u32)).collect()
    }

    fn flush(&mut self) {
        self.ring.submit();
    }

    fn lost(&self) -> Option<Errno> {
        self.ring.lost()
    }

    fn next(&mut self) -> Option<Event> {
        loop {
            let Some(Completion { data, result }) = self.ring.next() else { return self.next_untaken() };
            match data & TAG {
                DOORBELL => {
                    self.armed = false;
                    self.drain_doorbell();
                }
                CANCEL => {
                    self.auxiliary -= 1;
                    if result != 0 {
                        return Some(Event::NotStopped(data >> 2));
                    }
                }
                EVENTFD => {
                    self.auxiliary -= 1;
                    let index = (data >> 2) as usize;
                    let (file, count) = (self.signals[index].file, *self.signals[index].amount as u32);
                    self.free_signals.push(index);
                    return Some(Event::Signalled(file, count));
                }
                _ => {
                    self.in_flight -= 1;
                    if let Some(operation) = NonNull::new(data as *mut Operation) {
                        // What was not done has taken no time.
                        if result >= 0 {
                            Self::note_time(operation);
                        }
                        return Some(Event::Done(operation, result.into()));
                    }
                }
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.auxiliary == 0
    }
}

impl Waits for Uring {
    fn prepare_sleep(&mut self) {
        // Acquire pairs with the Release of `Engine::notify`. Read before the inbox is put asleep: a later
        // notification changes it.
        let seen = self.doorbell.load(Ordering::Acquire);
        // With nothing under way the doorbell is all there is to wait for, and a plain futex is the shorter way.
        self.before = (self.is_idle() && !self.armed).then_some(seen);
        if self.before.is_none() && !self.armed {
            self.arm(seen);
            self.ring.submit();
        }
    }

    fn sleep(&mut self, how: Sleep) {
        match (how, self.before.take()) {
            (Sleep::Timed(nanoseconds), _) => self.ring.wait(Some(nanoseconds)),
            (Sleep::Armed(deadline), None) => self.ring.wait(deadline.left().map(|left| left.min(MAX_WAIT_NS) as u32)),
            (Sleep::Armed(deadline), Some(seen)) => {
                let _ = futex::wait(self.doorbell, seen, deadline);
                self.drain_doorbell();
            }
        }
    }

    fn can_wait_timed(&self) -> bool {
        self.ring.has_timeouts()
    }
}
