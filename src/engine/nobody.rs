//! The device that carries nothing out: where io_uring was taken away and no threads can be had, every operation ends with
//! an error, and none is left waiting.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};
use std::collections::VecDeque;

use super::device::{Device, Event, Sleep};
use super::operation::Operation;
use super::pins::Pin;
use crate::host::futex::{self, Deadline};
use crate::host::kernel::Errno;

/// Refuses everything.
pub struct Nobody {
    doorbell: &'static AtomicU32,
    events: VecDeque<Event>,
    before: u32,
}

impl Nobody {
    /// The device of the calling thread.
    pub const fn new(doorbell: &'static AtomicU32) -> Self {
        Self { doorbell, events: VecDeque::new(), before: 0 }
    }
}

impl Device for Nobody {
    fn has_room(&self) -> bool {
        true
    }

    fn in_flight(&self) -> usize {
        0
    }

    fn issue(&mut self, operation: NonNull<Operation>, _patiently: bool) {
        self.events.push_back(Event::Done(operation, Errno(libc::EIO).negated()));
    }

    fn cancel(&mut self, _operation: NonNull<Operation>, ticket: u64) {
        self.events.push_back(Event::Cancel(ticket, false));
    }

    fn pin(&mut self, _fd: i32) -> Result<Pin, Errno> {
        Err(Errno(libc::ENFILE))
    }

    fn unpin(&mut self, _pin: Pin) {}

    fn ring(&mut self, pin: Pin, count: u32) {
        self.events.push_back(Event::Rung(pin, count));
    }

    fn flush(&mut self) {}

    fn prepare_sleep(&mut self) {
        // Acquire pairs with the ringer's Release.
        self.before = self.doorbell.load(Ordering::Acquire);
    }

    fn sleep(&mut self, how: Sleep) {
        if self.events.is_empty() {
            let most = match how {
                Sleep::Sound(most) => most,
                Sleep::Doze(most) => Some(most),
            };
            let _ = futex::wait(self.doorbell, self.before, Deadline::within(most));
        }
    }

    fn next(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}
