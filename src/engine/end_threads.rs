//! The engines' threads end at once: for a call that the kernel grants a process of one thread alone. The next request starts
//! them again.

use core::sync::atomic::Ordering;

use super::cancel::Matcher;
use super::engines;
use super::lifecycle::{ENGINE_WAIT_MS, Engine, NEW, RESTING, UNAVAILABLE};
use crate::host::{futex, kernel};

/// Has the threads of both engines end, if nothing is outstanding. Whether there were any, and none is left.
pub fn end_threads() -> bool {
    let ended = engines::all().map(Engine::end_threads);
    // Each is asked, whatever the others say.
    ended.fold(None, |all, ended| if all == Some(false) { all } else { ended.or(all) }) == Some(true)
}

impl Engine {
    /// None: there was no thread. False: one is needed, or does not end.
    fn end_threads(&self) -> Option<bool> {
        if self.has_ended() || !self.is_of_this_process() {
            return None;
        }
        if self.stays.load(Ordering::Relaxed) {
            return Some(false);
        }
        // It passes by itself, should a signal handler leave this call by a jump.
        let until = kernel::now() + ENGINE_WAIT_MS * 1_000_000;
        self.hurried_until.store(until, Ordering::Relaxed);
        let all = Matcher { test: |_, _| true, arguments: [0; 3] };
        // Each question wakes a thread, which finds that it is to end when it has answered.
        while !self.has_ended() && self.count(all) == 0 && kernel::now() < until {
            futex::sleep_50us();
        }
        self.hurried_until.store(0, Ordering::Relaxed);
        Some(self.has_ended())
    }

    fn has_ended(&self) -> bool {
        // Acquire pairs with the Release of `decide`.
        matches!(self.state.load(Ordering::Acquire), NEW | RESTING | UNAVAILABLE)
    }
}
