//! What the reactor asks of whatever carries I/O out: io_uring, or threads.

use core::ptr::NonNull;

use super::operation::Operation;
use super::pins::Pin;
use crate::host::kernel::Errno;

/// Something that a device reports.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// An operation is done.
    Done(NonNull<Operation>, i64),
    /// The answer to [`Device::cancel`] with this ticket. True: the operation ends with `-ECANCELED` if nothing else came
    /// first, and its own event follows or has come. False: it cannot be stopped, or is past stopping.
    Cancel(u64, bool),
    /// A bell with this many rings on this pin has been rung, or its eventfd refused.
    Rung(Pin, u32),
}

/// How long a device may sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// Until something completes or the doorbell rings; at most this many nanoseconds, if that is given.
    Sound(Option<u32>),
    /// Until something completes, at most this many nanoseconds. Nobody rings: the next completion is near.
    Doze(u32),
}

/// Carries out operations. Used by the engine's thread alone.
pub trait Device {
    /// Whether another operation can be issued.
    fn has_room(&self) -> bool;

    /// How many operations it has.
    fn in_flight(&self) -> usize;

    /// Accepts an operation. Its file and its vectors are taken at the latest when [`Device::flush`] returns. With
    /// `patiently` it may wait in the kernel from the start, because an attempt without waiting has failed.
    fn issue(&mut self, operation: NonNull<Operation>, patiently: bool);

    /// Tries to stop an operation that was issued. [`Event::Cancel`] with `ticket` tells.
    fn cancel(&mut self, operation: NonNull<Operation>, ticket: u64);

    /// Holds the file behind `fd`.
    ///
    /// # Errors
    /// `EBADF`; `ENFILE`: no room to hold another; what the kernel answers.
    fn pin(&mut self, fd: i32) -> Result<Pin, Errno>;

    /// Lets a file go. Operations that were issued with it, and flushed, keep it.
    fn unpin(&mut self, pin: Pin);

    /// Adds `count` to the eventfd behind `pin`, not before [`Device::flush`].
    fn ring(&mut self, pin: Pin, count: u32);

    /// Hands everything accepted to the kernel, and lets completions arrive, without waiting for any.
    fn flush(&mut self);

    /// Gets ready for a sound sleep: from here on a ring of the doorbell ends it, also one that comes before the sleep.
    fn prepare_sleep(&mut self);

    /// Sleeps. A sound sleep was prepared.
    fn sleep(&mut self, how: Sleep);

    /// Whether it can sleep for a given time.
    fn can_doze(&self) -> bool {
        true
    }

    /// Whether the engine's thread has the program's descriptors with this device.
    fn has_descriptors(&self) -> bool {
        true
    }

    /// Whether it can carry out nothing more: what it was made of was taken away. What has completed is still reported;
    /// see [`super::reactor::heir`] for the rest.
    fn is_lost(&self) -> bool {
        false
    }

    /// The next event, if one is there.
    fn next(&mut self) -> Option<Event>;
}
