//! What the only thread of an engine does: turn after turn, and sleep in between.

use super::Reactor;
use crate::engine::device::{Sleep, Waits};
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

/// What the thread does next.
pub enum Next {
    /// It looks again.
    Again,
    /// It sleeps, and says so by [`Reactor::woke`] afterwards.
    Sleep(Sleep),
    /// It ends.
    End(End),
}

impl<D: Waits> Reactor<D> {
    /// Runs turn after turn, and sleeps in between.
    pub fn run(&mut self) -> End {
        let mut slept = None;
        loop {
            match self.step(slept.take()) {
                Next::Again => {}
                Next::Sleep(how) => {
                    self.device.sleep(how);
                    if self.woke(how) {
                        return End::Idle;
                    }
                    slept = Some(how);
                }
                Next::End(end) => return end,
            }
        }
    }

    /// One turn, after a sleep or none.
    pub fn step(&mut self, slept: Option<Sleep>) -> Next {
        self.take();
        if self.device.lost().is_some() {
            return Next::End(End::Closed);
        }
        let completed = self.deliver();
        // Not before: what has ended is told of there, and eventfds are signalled by the device.
        if self.engine.is_closing() && self.is_idle() {
            return Next::End(End::Closed);
        }
        // No submitter could have ended a timed sleep.
        self.sleep_policy.note(completed, matches!(slept, Some(Sleep::Timed(_))));
        if self.engine.inbox.is_waiting() { Next::Again } else { self.sleep() }
    }

    /// Gets ready to sleep until there is something to do.
    fn sleep(&mut self) -> Next {
        if let Some(nanoseconds) = self.sleep_policy.timed_wait_ns(self.device.in_flight())
            && self.device.can_wait_timed()
        {
            stats::slept(false);
            return Next::Sleep(Sleep::Timed(nanoseconds));
        }
        self.device.prepare_sleep();
        if self.engine.inbox.fall_asleep() {
            stats::slept(true);
            let deadline = if self.is_idle() { self.engine.idle_exit() } else { Deadline::Never };
            return Next::Sleep(Sleep::Armed(deadline));
        }
        Next::Again
    }

    /// A sleep has ended. True: there has been nothing to do for long, and the engine has no thread any more.
    pub fn woke(&mut self, how: Sleep) -> bool {
        let Sleep::Armed(deadline) = how else { return false };
        if deadline.is_over() && self.engine.leave() {
            return true;
        }
        self.engine.inbox.wake_up();
        false
    }
}
