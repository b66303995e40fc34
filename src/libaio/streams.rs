//! How many requests of ours are with the engine for each stream and appended file: none, and a request may be done in
//! the calling thread without overtaking another.

use core::sync::atomic::{AtomicU32, Ordering};

const COUNTS: usize = 1024;

/// The counts. Streams share them by their identity; one that counts too much sends a request to the engine without need.
pub struct Streams([AtomicU32; COUNTS]);

impl Streams {
    /// Nothing is with the engine.
    pub const fn new() -> Self {
        Self([const { AtomicU32::new(0) }; COUNTS])
    }

    /// The count for one direction of a stream.
    pub const fn place(identity: u64, writes: bool) -> u16 {
        ((identity as usize * 2 + writes as usize) % COUNTS) as u16
    }

    /// Whether nothing is outstanding.
    pub fn is_idle(&self, place: u16) -> bool {
        // Acquire pairs with the Release of `done`: what was done before is seen to be done.
        self.0[place as usize % COUNTS].load(Ordering::Acquire) == 0
    }

    /// A request goes to the engine.
    pub fn begin(&self, place: u16) {
        self.0[place as usize % COUNTS].fetch_add(1, Ordering::Relaxed);
    }

    /// It has ended.
    pub fn done(&self, place: u16) {
        self.0[place as usize % COUNTS].fetch_sub(1, Ordering::Release);
    }
}
