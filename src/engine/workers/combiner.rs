//! One worker at a time runs the reactor: it takes what was submitted and reaps what is done, for all workers. None waits
//! for it: one that finds it taken leaves a mark and goes on, and the one that has it runs it once more.
//!
//! ```text
//!            run                         nothing new
//!   FREE ──────────→ HELD ──────────────────────────────→ FREE
//!                    ↑  │ another thread has something
//!          once more │  ↓
//!                   AGAIN
//! ```

#[cfg(not(loom))]
use core::sync::atomic::{AtomicU32, Ordering};
#[cfg(loom)]
use loom::sync::atomic::{AtomicU32, Ordering};

const FREE: u32 = 0;
const HELD: u32 = 1;
const AGAIN: u32 = 2;

/// The right to run the reactor.
pub struct Combiner {
    state: AtomicU32,
}

impl Combiner {
    /// No thread has it.
    #[must_use]
    pub fn new() -> Self {
        Self { state: AtomicU32::new(FREE) }
    }

    /// Has `turn` run at least once, completely, from now on: by this thread, or by the one that is at it. Whether it
    /// was this thread.
    pub fn run(&self, mut turn: impl FnMut()) -> bool {
        if !self.enter() {
            return false;
        }
        loop {
            self.hold();
            turn();
            if self.exit() {
                return true;
            }
        }
    }

    /// Takes it, or leaves a mark for the thread that has it. Whether it was taken.
    #[must_use]
    pub fn enter(&self) -> bool {
        self.state.swap(AGAIN, Ordering::AcqRel) == FREE
    }

    /// Begins a turn, which sees what every thread did that has left a mark.
    pub fn hold(&self) {
        // AcqRel, here and in `enter`: an exchange reads the last value. So either the thread that set `AGAIN` before
        // is seen with all it did, or it sets it after this, and `exit` sees that.
        self.state.swap(HELD, Ordering::AcqRel);
    }

    /// Gives it back after a turn. False: another thread has left a mark, and there is to be another turn.
    pub fn exit(&self) -> bool {
        // Release pairs with the Acquire of the next `enter`.
        self.state.compare_exchange(HELD, FREE, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Gives it back, whatever mark another thread has left: there is nothing to run any more.
    pub fn abandon(&self) {
        // Release, as above.
        self.state.store(FREE, Ordering::Release);
    }
}

impl Default for Combiner {
    fn default() -> Self {
        Self::new()
    }
}
