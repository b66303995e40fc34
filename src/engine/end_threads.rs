//! The engines' threads end at once: for a call that the kernel grants a process of one thread alone. The next request starts
//! them again.

use core::sync::atomic::Ordering;

use super::cancel::Matcher;
use super::engines;
use super::lifecycle::{ENGINE_WAIT_MS, Engine, NEW, RESTING, UNAVAILABLE};
use crate::host::{futex, kernel};

/// Has the threads of both engines end, if nothing is outstanding. Whether there were any, and none is left.
pub fn end_threads() -> bool {
    let (mut had_any, mut none_is_left) = (false, true);
    // Each is asked, whatever the others say.
    for has_ended in engines::all().filter_map(Engine::end_threads) {
        had_any = true;
        none_is_left &= has_ended;
    }
    had_any && none_is_left
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
        // Each question wakes a thread, which finds that it is to end when it has answered.
        while !self.has_ended() && self.count(Matcher::ALL) == 0 && kernel::now() < until {
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
