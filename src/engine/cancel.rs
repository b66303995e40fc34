//! Stopping operations that were submitted: a command to the engine's thread, which alone knows where each one stands.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use super::operation::{Finish, Kind, Operation};
use super::wakes::Wakes;
use crate::host::futex::{self, Deadline};

/// Whether an outstanding operation is meant. Called by the engine's thread; it may look at the structure around the
/// operation, which is alive.
pub type Means = unsafe fn(operation: NonNull<Operation>, argument: usize) -> bool;

/// How it went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Operations that were stopped. Each has been finished with `-ECANCELED`.
    pub canceled: u32,
    /// Operations that could not be stopped, and go on or have ended otherwise.
    pub refused: u32,
}

/// The command. It lives on the caller's stack until answered.
#[repr(C)]
pub(super) struct Command {
    operation: Operation,
    pub(super) means: Means,
    pub(super) argument: usize,
    pub(super) outcome: Outcome,
    /// Answers of the device that are still to come.
    pub(super) pending: u32,
    answered: AtomicU32,
}

impl Command {
    pub(super) const fn new(means: Means, argument: usize) -> Self {
        let operation = Operation::new(Kind::Chore, -1, begin as Finish);
        Self {
            operation,
            means,
            argument,
            outcome: Outcome { canceled: 0, refused: 0 },
            pending: 0,
            answered: AtomicU32::new(0),
        }
    }

    /// The command in this operation, if it is one.
    pub(super) fn of(operation: NonNull<Operation>) -> Option<NonNull<Self>> {
        // SAFETY: the operation is alive; a command's finish function is known to nobody else.
        let finish = unsafe { operation.as_ref() }.finish;
        core::ptr::fn_addr_eq(finish, begin as Finish).then(|| operation.cast())
    }

    pub(super) fn operation(&mut self) -> NonNull<Operation> {
        NonNull::from(&mut *self).cast()
    }

    /// Tells the caller, who may be gone the moment after.
    pub(super) fn answer(this: NonNull<Self>, wakes: &mut Wakes) {
        // SAFETY: the caller waits until the store.
        let answered = unsafe { &raw const (*this.as_ptr()).answered };
        // Release pairs with the Acquire of `wait`: the caller sees the outcome.
        // SAFETY: as above.
        unsafe { &*answered }.store(1, Ordering::Release);
        wakes.wake(answered, 1);
    }

    /// Waits for the answer.
    pub(super) fn wait(&self) -> Outcome {
        while self.answered.load(Ordering::Acquire) == 0 {
            let _ = futex::wait(&self.answered, 0, Deadline::Never);
        }
        // SAFETY: the engine's thread has stored the outcome before it answered, and does not touch it again.
        unsafe { (&raw const self.outcome).read_volatile() }
    }
}

/// Marks an operation as a command. The engine's thread sees the mark and never calls it.
unsafe fn begin(_: NonNull<Operation>, _: i64, _: &mut Wakes) {}
