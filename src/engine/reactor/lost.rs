//! What becomes of operations when their device is gone.

use core::ptr::NonNull;

use super::{Reactor, is_barrier};
use crate::engine::cancel::Command;
use crate::engine::device::Device;
use crate::engine::operation::{Operation, Stage, finish_unheld};
use crate::engine::wake_batch::WakeBatch;
use crate::engine::{inbox, redo};
use crate::host::kernel::Errno;

impl<D: Device> Reactor<D> {
    /// The device is gone: everything outstanding ends with `errno`, and every command is answered.
    pub fn fail_all(&mut self, errno: Errno) {
        // What a worker does again ends when that is done.
        // SAFETY: reactor-owned.
        for operation in self.outstanding.matching(|operation| unsafe { operation.as_ref() }.stage != Stage::WithWorker)
        {
            self.orders.remove(operation, &mut self.ready);
            self.ready.remove(operation);
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
            let (stage, order) = unsafe { (operation.as_ref().stage, operation.as_ref().order) };
            if let Some(command) = Command::of(operation) {
                self.carry_out(command);
            } else if stage == Stage::WithWorker {
                // SAFETY: reactor-owned.
                let this = unsafe { operation.as_ref() };
                self.finish(operation, redo::told(this, this.offset));
            } else if is_barrier(order) {
                // The workers do not know what it has to wait for.
                // SAFETY: as above; it is not known here.
                unsafe {
                    let eventfds = operation.as_ref().eventfd_numbers();
                    finish_unheld(operation, Errno(libc::EIO).negated(), eventfds, &mut self.wakes);
                }
            } else {
                pass_on(operation, &mut self.wakes);
            }
        }
        self.tell_without_device();
        self.engine.end_turn();
        !self.engine.inbox.all_reached() || !self.outstanding.is_empty()
    }

    fn tell_without_device(&mut self) {
        while let Some(command) = self.answers.pop() {
            Command::answer(command, &mut self.wakes);
        }
        self.signal_eventfds();
        self.wakes.wake_now();
    }
}
