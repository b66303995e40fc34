//! What the only thread of an engine does: turn after turn, and sleep in between.

use super::Reactor;
use crate::engine::device::{Sleep, Waits};
use crate::engine::lifecycle;
use crate::host::futex::Deadline;
use crate::stats;

/// How [`Reactor::run`] came to its end.
pub enum End {
    /// There has been nothing to do for long, and the engine has no thread any more.
    Idle,
    /// The engine was closed and nothing is outstanding, or the device serves no longer. What was accepted and is not
    /// finished is in the reactor.
    Closed,
}

/// How a sleep ended.
#[derive(PartialEq, Eq)]
enum Slept {
    /// There may be something to do.
    Woken,
    /// The same, after a sleep that no submitter could have ended.
    Timed,
    /// There has been nothing to do for long, and the engine has no thread any more.
    Gone,
}

impl<D: Waits> Reactor<D> {
    /// Runs turn after turn, and sleeps in between.
    pub fn run(&mut self) -> End {
        let mut slept = Slept::Woken;
        loop {
            self.take();
            if self.device.lost().is_some() || (self.engine.is_closing() && self.outstanding.is_empty()) {
                return End::Closed;
            }
            let completed = self.deliver();
            self.sleep_policy.note(completed, slept == Slept::Timed);
            slept = if self.engine.inbox.is_waiting() { Slept::Woken } else { self.sleep() };
            if slept == Slept::Gone {
                return End::Idle;
            }
        }
    }

    /// Sleeps until there is something to do.
    fn sleep(&mut self) -> Slept {
        if let Some(nanoseconds) = self.sleep_policy.timed_wait_ns(self.device.in_flight())
            && self.device.can_wait_timed()
        {
            stats::slept(false);
            self.device.sleep(Sleep::Timed(nanoseconds));
            return Slept::Timed;
        }
        self.device.prepare_sleep();
        if !self.engine.is_closing() && self.engine.inbox.fall_asleep() {
            stats::slept(true);
            let deadline = if self.is_idle() { lifecycle::idle_exit() } else { Deadline::Never };
            self.device.sleep(Sleep::Armed(deadline));
            if deadline.is_over() && self.engine.leave() {
                return Slept::Gone;
            }
            self.engine.inbox.wake_up();
        }
        Slept::Woken
    }
}
