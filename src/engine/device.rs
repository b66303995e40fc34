//! What the reactor needs of what carries I/O out: io_uring, or workers.

use core::ptr::NonNull;

use super::fixed_files::FixedFile;
use super::operation::Operation;
use crate::host::futex::Deadline;
use crate::host::kernel::Errno;

/// Something that a device reports.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// An operation is done.
    Done(NonNull<Operation>, i64),
    /// [`Device::cancel`] with this ticket was in vain: the operation cannot be stopped, or is past stopping.
    NotStopped(u64),
    /// The eventfd in this slot has been signalled so many times, or has refused it.
    Signalled(FixedFile, u32),
}

/// How long a device may sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// Until something completes, the doorbell is notified, or the deadline has come.
    Armed(Deadline),
    /// Until something completes, at most this many nanoseconds. No submitter notifies: the next completion is near.
    Timed(u32),
}

/// What became of an operation that the device was done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It ends with this result.
    Finish(i64),
    /// The device tries it once more, from the start in a way that may wait.
    RetryBlocking,
    /// A worker does it again by a plain system call, whose answer counts.
    RetryByWorker,
}

/// The file that a descriptor names at one time: the descriptor's generation, and the file's identity or 0.
pub type Name = (u32, u64);

/// Carries out operations. Used by the thread that runs the reactor alone.
pub trait Device {
    /// Whether another operation can be issued.
    fn has_room(&self) -> bool;

    /// How many operations it has.
    fn in_flight(&self) -> usize;

    /// Accepts an operation. Its file and its vectors are taken at the latest when [`Device::flush`] returns. With
    /// `blocking` it may wait in the kernel from the start, because an attempt without waiting has failed.
    fn issue(&mut self, operation: NonNull<Operation>, blocking: bool);

    /// What a result of an operation that was issued means for the program.
    fn judge(&self, operation: &Operation, result: i64) -> Verdict;

    /// Tries to stop an operation that was issued: it ends with `-ECANCELED` if nothing else comes first. Where it
    /// cannot be stopped, [`Event::NotStopped`] with `ticket` tells.
    fn cancel(&mut self, operation: NonNull<Operation>, ticket: u64);

    /// Holds the file behind `fd`, together with every holder by the same name.
    ///
    /// # Errors
    /// `EBADF`; `ENFILE`: no room to hold another; what the kernel answers.
    fn hold_file(&mut self, fd: i32, name: Option<Name>) -> Result<FixedFile, Errno>;

    /// Lets a file go. Operations that were issued with it, and flushed, keep it.
    fn release_file(&mut self, file: FixedFile);

    /// Lets the file of an operation go, before the program can see the operation's end. True: that takes time, and
    /// [`Event::Done`] with this operation and `result` follows.
    fn release_first(&mut self, file: FixedFile, _operation: NonNull<Operation>, _result: i64) -> bool {
        self.release_file(file);
        false
    }

    /// Closes what is kept for the program's `fd`, or for any with -1. How many times [`Event::Done`] with `command`
    /// follows, because a file takes time.
    fn close_kept(&mut self, _fd: i32, _command: NonNull<Operation>) -> u32 {
        0
    }

    /// Adds `count` to the eventfd in a slot, not before [`Device::flush`].
    fn signal_eventfd(&mut self, file: FixedFile, count: u32);

    /// Additions that a lost device did not carry out: the eventfds, and the counts.
    fn unsignalled(&mut self) -> Vec<(FixedFile, u32)> {
        Vec::new()
    }

    /// Hands everything accepted to the kernel, and lets completions arrive, without waiting for any.
    fn flush(&mut self);

    /// Why it can carry out nothing more: what it was made of was taken away. What has completed is still reported.
    fn lost(&self) -> Option<Errno> {
        None
    }

    /// The next event, if one is there.
    fn next(&mut self) -> Option<Event>;

    /// Closes what is kept between operations. Whether there was anything.
    fn tidy(&mut self) -> bool {
        false
    }

    /// Whether the reactor's next turn comes within a millisecond, though no submitter notifies a thread. Asked at the end of
    /// each turn.
    fn comes_again(&mut self) -> bool {
        false
    }

    /// Whether nothing is under way, operations or other.
    fn is_idle(&self) -> bool;
}

/// A device that its engine's only thread sleeps in.
pub trait Waits: Device {
    /// Gets ready for an armed sleep: from here on a notification ends it, also one that comes before the sleep.
    fn prepare_sleep(&mut self);

    /// Sleeps. An armed sleep was prepared.
    fn sleep(&mut self, how: Sleep);

    /// Whether it can sleep for a given time.
    fn can_wait_timed(&self) -> bool;
}
