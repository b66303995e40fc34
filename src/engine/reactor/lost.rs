//! What becomes of operations when their device is gone.

use core::ptr::NonNull;

use super::Reactor;
use crate::engine::cancel::Command;
use crate::engine::device::Device;
use crate::engine::operation::{Operation, Stage};
use crate::engine::wake_batch::WakeBatch;
use crate::engine::{inbox, redo, stand_in};
use crate::host::kernel::Errno;

impl<D: Device> Reactor<D> {
    /// The device is gone: everything outstanding ends with `errno`, and every command is answered.
    pub fn fail_all(&mut self, errno: Errno) {
        // What a worker does again ends when that is done.
        // SAFETY: reactor-owned.
        for operation in self.outstanding.matching(|operation| unsafe { operation.as_ref() }.stage != Stage::WithWorker)
        {
            self.ready.remove(operation);
            if !self.orders.remove(operation, &mut self.ready) {
                // SAFETY: reactor-owned.
                self.orders.finished(unsafe { operation.as_ref() }, &mut self.ready);
            }
            // Its file goes with the device.
            // SAFETY: reactor-owned.
            unsafe { (*operation.as_ptr()).held = None };
            self.outstanding.remove(operation);
            self.settle_stops(operation, errno.negated());
            self.hand_back(operation, errno.negated());
        }
        self.tell_without_device();
        for (eventfd, count) in self.device.unsignalled() {
            self.eventfds.signal_by_number(eventfd, count);
        }
    }

    /// The device is gone, and workers still have operations of it: takes them back, and answers commands. Gives the
    /// operations for which it is too late to `pass_on`. Whether workers have more.
    pub fn take_back(&mut self, mut pass_on: impl FnMut(NonNull<Operation>, &mut WakeBatch)) -> bool {
        let mut next = self.engine.inbox.take();
        while let Some(operation) = next {
            // SAFETY: taken just now, and not accepted yet.
            next = unsafe { inbox::next(operation) };
            // SAFETY: as above.
            let stage = unsafe { operation.as_ref() }.stage;
            if let Some(command) = Command::of(operation) {
                self.carry_out(command);
            } else if stage == Stage::WithWorker {
                // SAFETY: reactor-owned.
                let this = unsafe { operation.as_ref() };
                self.finish(operation, redo::told(this, this.offset));
            } else if stage == Stage::StandIn {
                self.accept_stand_in(operation);
            } else {
                pass_on(operation, &mut self.wakes);
            }
        }
        self.tell_without_device();
        self.engine.end_turn();
        !self.engine.inbox.all_reached() || !self.outstanding.is_empty()
    }

    fn tell_without_device(&mut self) {
        // All else that was ready has failed.
        while let Some(released) = self.ready.pop() {
            stand_in::send_back(released);
        }
        while let Some(command) = self.answers.pop() {
            Command::answer(command, &mut self.wakes);
        }
        self.signal_eventfds();
        self.wakes.wake_now();
    }
}
