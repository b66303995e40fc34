//! Commands of the program's threads: stop operations, count them, close a file.

use core::ptr::NonNull;

use super::{Reactor, Stopping};
use crate::engine::cancel::{Command, Matcher, Outcome, Task};
use crate::engine::device::Device;
use crate::engine::operation::{CANCELED, Operation, Stage};
use crate::engine::stand_in;

impl<D: Device> Reactor<D> {
    /// Begins what a command asks for.
    pub(super) fn carry_out(&mut self, command: NonNull<Command>) {
        // SAFETY: a command is untouched until it is answered; only this thread looks at this field.
        match unsafe { command.as_ref().task } {
            Task::Stop(matcher, error) => self.stop(matcher, error, command),
            Task::Count(matcher) => {
                // SAFETY: as above.
                unsafe { (*command.as_ptr()).outcome.refused = self.matching(matcher).len() as u32 };
                self.answers.push(command);
            }
            Task::LetGo(fd) => {
                let pending = self.device.close_kept(fd, command.cast());
                // SAFETY: as above.
                unsafe { (*command.as_ptr()).pending = pending };
                if pending == 0 {
                    self.answers.push(command);
                }
            }
        }
    }

    fn matching(&self, matcher: Matcher) -> Vec<NonNull<Operation>> {
        // SAFETY: reactor-owned.
        self.outstanding.matching(|operation| (matcher.test)(unsafe { operation.as_ref() }, &matcher.arguments))
    }

    /// Stops what is meant, as far as that can be done; what is stopped ends with `error`.
    fn stop(&mut self, matcher: Matcher, error: u8, mut command: NonNull<Command>) {
        let mut outcome = Outcome::default();
        let mut pending = 0;
        for mut operation in self.matching(matcher) {
            // SAFETY: reactor-owned; nothing that is stopped here frees another.
            let this = unsafe { operation.as_mut() };
            this.stop_error = error;
            match this.stage {
                _ if this.partially_done => outcome.refused += 1,
                Stage::Held | Stage::AwaitsUring if self.drop_held(operation) => outcome.canceled += 1,
                Stage::Held | Stage::AwaitsUring => {
                    pending += 1;
                    self.note_stop(operation, command);
                }
                Stage::WithWorker | Stage::Ending | Stage::StandIn => outcome.refused += 1,
                Stage::Issued if this.moved > 0 => outcome.refused += 1,
                Stage::Issued => {
                    pending += 1;
                    let ticket = self.note_stop(operation, command);
                    self.device.cancel(operation, ticket);
                }
            }
        }
        // SAFETY: as in `carry_out`.
        let this = unsafe { command.as_mut() };
        (this.outcome, this.pending) = (outcome, pending);
        if pending == 0 {
            self.answers.push(command);
        }
    }

    /// A command waits for the end of an operation. The ticket by which the device may say that it does not come.
    fn note_stop(&mut self, operation: NonNull<Operation>, command: NonNull<Command>) -> u64 {
        self.tickets += 1;
        self.stopping.push(Stopping { ticket: self.tickets, operation, command });
        self.tickets
    }

    /// Ends an operation that was not issued. Whether it has ended: its file may still be closed.
    fn drop_held(&mut self, operation: NonNull<Operation>) -> bool {
        // SAFETY: reactor-owned.
        if unsafe { operation.as_ref() }.stage == Stage::AwaitsUring {
            stand_in::withdraw(operation);
        } else if !self.ready.remove(operation) {
            self.orders.remove(operation, &mut self.ready);
            // It has no place in the order any more.
            // SAFETY: reactor-owned.
            unsafe { (*operation.as_ptr()).stage = Stage::Ending };
        }
        self.finish(operation, CANCELED)
    }

    /// The device cannot stop an operation. (Where it can, the operation's own end decides.)
    pub(super) fn not_stopped(&mut self, ticket: u64) {
        if let Some(index) = self.stopping.iter().position(|stopping| stopping.ticket == ticket) {
            let Stopping { command, .. } = self.stopping.swap_remove(index);
            self.count_stop(command, false);
        }
    }

    /// An operation has ended that commands were about to stop.
    pub(super) fn settle_stops(&mut self, operation: NonNull<Operation>, result: i64) {
        while let Some(index) = self.stopping.iter().position(|stopping| stopping.operation == operation) {
            let Stopping { command, .. } = self.stopping.swap_remove(index);
            self.count_stop(command, result == CANCELED);
        }
    }

    fn count_stop(&mut self, mut command: NonNull<Command>, stopped: bool) {
        // SAFETY: as in `carry_out`; a command with answers pending is not answered yet.
        let this = unsafe { command.as_mut() };
        let Outcome { canceled, refused } = &mut this.outcome;
        *(if stopped { canceled } else { refused }) += 1;
        self.count_down(command);
    }

    /// One answer less that a command waits for.
    pub(super) fn count_down(&mut self, mut command: NonNull<Command>) {
        // SAFETY: as in `carry_out`; a command with answers pending is not answered yet.
        let this = unsafe { command.as_mut() };
        this.pending -= 1;
        if this.pending == 0 {
            self.answers.push(command);
        }
    }
}
