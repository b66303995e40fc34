//! The device that is io_uring.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, Ordering};

use io_uring::opcode;
use io_uring::types::Fixed;

use super::device::{Device, Event, Sleep};
use super::entry;
use super::operation::{Kind, Operation};
use super::pins::{Pin, Pins};
use super::ring::{self, Bell as Doorbell, COMPLETIONS, Completion, Refused, Ring};
use crate::host::futex::{self, Deadline};
use crate::host::kernel::{self, Errno, syscall};

/// Room kept for entries that are not operations: cancellations, bells, the doorbell.
const RESERVE: usize = 256;

// What a completion belongs to, in the low bits of its user data; an operation's address has none.
const OPERATION: u64 = 0;
const DOORBELL: u64 = 1;
const CANCEL: u64 = 2;
const BELL: u64 = 3;
const TAG: u64 = 3;

/// The ticket of a cancellation that nobody else asked for.
const OWN: u64 = 0;

/// An addition to an eventfd that is under way.
struct Bell {
    /// What is written. The box keeps its address.
    amount: Box<u64>,
    pin: Pin,
    /// The number of its entry.
    entry: usize,
    under_way: bool,
}

/// io_uring, and what must be remembered of what it was given.
pub struct Uring {
    ring: Ring,
    pins: Pins,
    in_flight: usize,
    doorbell: &'static AtomicU32,
    /// Whether the ring waits on the doorbell.
    armed: bool,
    /// The doorbell's value before a sleep outside the ring.
    before: Option<u32>,
    /// Cancellations and bells under way.
    errands: usize,
    bells: Vec<Bell>,
    free_bells: Vec<usize>,
    /// Additions that the end of the ring's thread has cut off.
    failed: Vec<(Pin, u32)>,
}

impl Uring {
    /// Makes the ring of the calling thread.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn new(doorbell: &'static AtomicU32) -> Result<Self, Refused> {
        let ring = Ring::new()?;
        let pins = Pins::new(ring.files());
        Ok(Self {
            ring,
            pins,
            in_flight: 0,
            doorbell,
            armed: false,
            before: None,
            errands: 0,
            bells: Vec::new(),
            free_bells: Vec::new(),
            failed: Vec::new(),
        })
    }

    /// Why the ring was lost, if it was.
    pub const fn loss(&self) -> Option<Errno> {
        self.ring.lost()
    }

    /// Completions that a lost ring still owes: of the operations and errands that the kernel has taken.
    pub fn owed(&self) -> usize {
        let untaken = self.ring.pushed() - self.ring.taken();
        (self.in_flight + self.errands + usize::from(self.armed)).saturating_sub(untaken)
    }

    /// Whether the kernel has taken an operation that was issued here.
    pub fn has(&self, operation: &Operation) -> bool {
        operation.handle.addr() <= self.ring.taken()
    }

    /// Additions to eventfds that a lost ring never makes.
    pub fn unrung(&self) -> Vec<(Pin, u32)> {
        let left = self.bells.iter().filter(|bell| bell.under_way && bell.entry > self.ring.taken());
        left.map(|bell| (bell.pin, *bell.amount as u32)).collect()
    }

    /// Additions to eventfds that a lost ring gave up.
    pub fn take_failed_bells(&mut self) -> Vec<(Pin, u32)> {
        core::mem::take(&mut self.failed)
    }

    /// The thread that must be sent [`ring::BELL_SIGNAL`] when the doorbell rings, if that is how the ring sees it.
    pub fn wants_signal(&self) -> Option<i32> {
        (self.ring.bell() != Doorbell::Futex).then(kernel::thread_id)
    }

    /// Takes the doorbell's signal, if it was sent. Whoever sent it has pushed before.
    fn hush(&self) {
        if self.ring.bell() == Doorbell::Futex || self.is_lost() {
            return;
        }
        let set = ring::signal_set(ring::BELL_SIGNAL);
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: reads the set and the time.
        let _ = unsafe {
            syscall!(libc::SYS_rt_sigtimedwait, &raw const set, ptr::null::<u8>(), &raw const now, size_of_val(&set))
        };
    }

    /// What a completed poll comes to; nothing: it goes on.
    ///
    /// The ring ends every poll for `POLLRDHUP` also, and at once where that is true. A poll that was not asked for it, and for
    /// which nothing else is true, is made again as one that has several completions, and stopped at the first that counts.
    fn polled(&mut self, mut operation: NonNull<Operation>, result: i32, goes_on: bool) -> Option<i32> {
        // SAFETY: the engine's thread owns the operation until it is finished.
        let this = unsafe { operation.as_mut() };
        let told = this.told(result.max(0) as u32) as i32;
        match (told, goes_on) {
            (0, true) => None,
            (_, true) => {
                if this.moved == 0 {
                    // From here on it is past stopping.
                    this.moved = told as usize;
                    self.cancel(operation, OWN);
                }
                None
            }
            (0, false) if this.moved > 0 => Some(this.moved as i32),
            (0, false) if result > 0 && this.has_its_file() => {
                let entry = entry::repeated_poll(this).user_data(operation.as_ptr() as u64 | OPERATION);
                // SAFETY: points to nothing.
                unsafe { self.ring.push(&entry) };
                this.handle = ptr::without_provenance(self.ring.pushed());
                None
            }
            // A kernel that has no such polls.
            (0, false) if result == -libc::EINVAL => Some(libc::POLLRDHUP.into()),
            (0, false) => Some(result),
            (_, false) => Some(told),
        }
    }

    /// Lets the ring wait on the doorbell, which rang `rung` times until now.
    fn arm(&mut self, rung: u32) {
        if let Doorbell::Signal(slot) = self.ring.bell() {
            let poll = opcode::PollAdd::new(Fixed(slot), libc::POLLIN as u32);
            // SAFETY: points to nothing.
            unsafe { self.ring.push(&poll.build().user_data(DOORBELL)) };
            self.armed = true;
            return;
        }
        let word = self.doorbell.as_ptr();
        let wait = opcode::FutexWait::new(word, rung.into(), u32::MAX.into(), futex::PRIVATE_U32);
        // SAFETY: the doorbell lives as long as the process.
        unsafe { self.ring.push(&wait.build().user_data(DOORBELL)) };
        self.armed = true;
    }
}

impl Device for Uring {
    fn has_room(&self) -> bool {
        self.in_flight < COMPLETIONS as usize - RESERVE
    }

    fn in_flight(&self) -> usize {
        self.in_flight
    }

    fn issue(&mut self, operation: NonNull<Operation>, patiently: bool) {
        // SAFETY: the engine's thread owns the operation until it is finished.
        let entry =
            entry::of(unsafe { operation.as_ref() }, patiently).user_data(operation.as_ptr() as u64 | OPERATION);
        // SAFETY: the buffers stay by the promise of `Engine::submit`, or the kernel answers EFAULT.
        unsafe { self.ring.push(&entry) };
        // SAFETY: as above. The number of its entry, in case the ring is lost.
        unsafe { (*operation.as_ptr()).handle = ptr::without_provenance(self.ring.pushed()) };
        self.in_flight += 1;
    }

    fn cancel(&mut self, operation: NonNull<Operation>, ticket: u64) {
        let entry = opcode::AsyncCancel::new(operation.as_ptr() as u64).build().user_data(ticket << 2 | CANCEL);
        // SAFETY: points to nothing.
        unsafe { self.ring.push(&entry) };
        self.errands += 1;
    }

    fn pin(&mut self, fd: i32) -> Result<Pin, Errno> {
        let pin = self.pins.take().ok_or(Errno(libc::ENFILE))?;
        self.ring.set_file(pin.0, fd).inspect_err(|_| self.pins.give_back(pin))?;
        Ok(pin)
    }

    fn unpin(&mut self, pin: Pin) {
        // Emptying a slot fails only if it is empty.
        let _ = self.ring.set_file(pin.0, -1);
        self.pins.give_back(pin);
    }

    fn ring(&mut self, pin: Pin, count: u32) {
        let index = self.free_bells.pop().unwrap_or_else(|| {
            self.bells.push(Bell { amount: Box::new(0), pin, entry: 0, under_way: false });
            self.bells.len() - 1
        });
        let bell = &mut self.bells[index];
        *bell.amount = count.into();
        bell.pin = pin;
        bell.under_way = true;
        let entry = opcode::Write::new(Fixed(pin.0), (&raw const *bell.amount).cast(), 8)
            .build()
            .user_data((index as u64) << 2 | BELL);
        // SAFETY: the amount stays where it is until the completion frees the bell.
        unsafe { self.ring.push(&entry) };
        self.bells[index].entry = self.ring.pushed();
        self.errands += 1;
    }

    fn flush(&mut self) {
        self.ring.submit();
    }

    fn prepare_sleep(&mut self) {
        // Acquire pairs with the ringer's Release. Read before the inbox is put asleep: whoever rings after that changes it.
        let rung = self.doorbell.load(Ordering::Acquire);
        // With nothing under way the doorbell is all there is to wait for, and a plain futex is the shorter way.
        self.before = (self.in_flight == 0 && self.errands == 0 && !self.armed).then_some(rung);
        if self.before.is_none() && !self.armed {
            self.arm(rung);
            self.ring.submit();
        }
    }

    fn sleep(&mut self, how: Sleep) {
        match (how, self.before.take()) {
            (Sleep::Doze(nanoseconds), _) => self.ring.wait(Some(nanoseconds)),
            (Sleep::Sound(most), None) => self.ring.wait(most.filter(|_| self.ring.has_timeouts())),
            (Sleep::Sound(most), Some(rung)) => {
                let _ = futex::wait(self.doorbell, rung, Deadline::within(most));
                self.hush();
            }
        }
    }

    fn can_doze(&self) -> bool {
        self.ring.has_timeouts()
    }

    fn is_lost(&self) -> bool {
        self.ring.lost().is_some()
    }

    fn next(&mut self) -> Option<Event> {
        loop {
            let Completion { data, result, goes_on } = self.ring.next()?;
            match data & TAG {
                DOORBELL => {
                    self.armed = false;
                    self.hush();
                }
                CANCEL => {
                    self.errands -= 1;
                    return Some(Event::Cancel(data >> 2, result == 0));
                }
                BELL => {
                    self.errands -= 1;
                    let index = (data >> 2) as usize;
                    let bell = &mut self.bells[index];
                    bell.under_way = false;
                    let (pin, count) = (bell.pin, *bell.amount as u32);
                    self.free_bells.push(index);
                    if result < 0 && self.is_lost() {
                        self.failed.push((pin, count));
                        continue;
                    }
                    return Some(Event::Rung(pin, count));
                }
                // Of a lost ring: its operations may have ended otherwise, and are not looked at.
                _ if goes_on && self.is_lost() => {}
                _ => {
                    let Some(operation) = NonNull::new(data as *mut Operation) else {
                        self.in_flight -= 1;
                        continue;
                    };
                    // SAFETY: the engine's thread owns the operation until it is finished.
                    let is_poll = !self.is_lost() && unsafe { operation.as_ref() }.kind == Kind::Poll;
                    let result = if is_poll { self.polled(operation, result, goes_on) } else { Some(result) };
                    if let Some(result) = result {
                        self.in_flight -= 1;
                        return Some(Event::Done(operation, result.into()));
                    }
                }
            }
        }
    }
}
