//! Commands to an engine's thread, which alone knows where each operation stands: stop what is meant, count it, or
//! close a file.
//!
//! A command carries values and lies in memory of the engine, never on the caller's stack: a caller that leaves by
//! `siglongjmp`, or is cancelled, leaves nothing behind that the engine's thread could touch. Its command is then
//! carried out all the same and never used again.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use super::operation::{Finish, Kind, Operation};
use super::wake_batch::WakeBatch;
use crate::host::futex::{self, Deadline};
use crate::host::pool::Pool;

/// Which outstanding operations are meant. Values alone: the engine's thread tests with them.
#[derive(Clone, Copy)]
pub struct Matcher {
    /// Whether an operation is meant. It may look at the structure around the operation, which is alive.
    pub test: fn(operation: &Operation, arguments: &[usize; 3]) -> bool,
    /// What the test is given.
    pub arguments: [usize; 3],
}

impl Matcher {
    /// Every operation.
    pub const ALL: Self = Self { test: |_, _| true, arguments: [0; 3] };
}

/// How it went. Where the engine was not asked, or does not answer, something goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Operations that were stopped. Each has been finished with the error that was asked for.
    pub canceled: u32,
    /// Operations that were not stopped: they go on, or have ended otherwise.
    pub refused: u32,
}

impl Outcome {
    /// It is not known.
    pub(super) const UNKNOWN: Self = Self { canceled: 0, refused: 1 };

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { canceled: self.canceled + other.canceled, refused: self.refused + other.refused }
    }
}

/// What is to be done.
#[derive(Clone, Copy)]
pub(super) enum Task {
    /// Stop what is meant, so that it ends with this error.
    Stop(Matcher, u8),
    /// Count it.
    Count(Matcher),
    /// Close what is kept for this descriptor of the program's, or for all of them with -1.
    LetGo(i32),
}

/// A command. Its fields but `state` are the engine's thread's from the submission to the answer.
#[repr(C)]
pub(super) struct Command {
    operation: Operation,
    pub(super) task: Task,
    pub(super) outcome: Outcome,
    /// Answers of the device that are still to come.
    pub(super) pending: u32,
    /// [`ASKED`] until it is [`ANSWERED`].
    state: AtomicU32,
}

const ASKED: u32 = 0;
const ANSWERED: u32 = 1;

/// The commands of one engine.
pub(super) struct Commands(Pool<Command>);

/// A command that was taken and not given back.
pub(super) struct Taken<'a> {
    pool: &'a Pool<Command>,
    command: NonNull<Command>,
}

impl Commands {
    pub const fn new() -> Self {
        Self(Pool::new())
    }

    /// Memory for the first commands.
    pub fn reserve(&self) -> Option<()> {
        self.0.reserve()
    }

    /// A command; none where memory is out and more are in use at once than were reserved.
    pub fn take(&self, task: Task) -> Option<Taken<'_>> {
        let command = self.0.take()?;
        let mut operation = Operation::new(Kind::Nop, -1, never as Finish);
        operation.is_internal = true;
        // SAFETY: taken from the pool, so the caller's alone.
        unsafe {
            command.write(Command {
                operation,
                task,
                outcome: Outcome::default(),
                pending: 0,
                state: AtomicU32::new(ASKED),
            });
        }
        Some(Taken { pool: &self.0, command })
    }
}

impl Drop for Commands {
    fn drop(&mut self) {
        self.0.free_all(|_| ());
    }
}

impl Taken<'_> {
    pub fn operation(&self) -> NonNull<Operation> {
        self.command.cast()
    }

    /// It was not submitted.
    pub fn put_back(self) {
        self.pool.put(self.command);
    }

    /// Waits for the answer, until `deadline`. A command that is not answered by then is never used again.
    pub fn wait(self, deadline: Deadline) -> Outcome {
        // SAFETY: commands are never freed; this field is an atomic.
        let state = unsafe { &(*self.command.as_ptr()).state };
        // Acquire pairs with the Release of `answer`: the outcome is seen.
        while state.load(Ordering::Acquire) == ASKED {
            if deadline.is_over() {
                return Outcome::UNKNOWN;
            }
            let _ = futex::wait(state, ASKED, deadline);
        }
        // SAFETY: the engine's thread has answered and does not touch it again.
        let outcome = unsafe { (*self.command.as_ptr()).outcome };
        self.pool.put(self.command);
        outcome
    }
}

impl Command {
    /// The command in this operation, if it is one.
    pub(super) fn of(operation: NonNull<Operation>) -> Option<NonNull<Self>> {
        // SAFETY: the operation is alive.
        let this = unsafe { operation.as_ref() };
        // An engine makes no other operation that does nothing. (The address of a small function says nothing: it may have
        // several.)
        (this.is_internal && this.kind == Kind::Nop).then(|| operation.cast())
    }

    /// Tells the caller, which may give it back at once.
    pub(super) fn answer(this: NonNull<Self>, wakes: &mut WakeBatch) {
        // SAFETY: commands are never freed; the field is an atomic.
        let state = unsafe { &(*this.as_ptr()).state };
        // Release pairs with the Acquire of `wait`.
        state.store(ANSWERED, Ordering::Release);
        wakes.wake(state, 1);
    }
}

/// A command is not finished, but answered.
unsafe fn never(_: NonNull<Operation>, _: i64, _: &mut WakeBatch) {}
