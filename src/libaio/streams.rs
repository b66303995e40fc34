//! How many requests of ours are with the engine for each stream and appended file: none, and a request may be done in
//! the calling thread without overtaking another.

use core::num::NonZeroU16;
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
    pub const fn place(identity: u64, writes: bool) -> NonZeroU16 {
        NonZeroU16::MIN.saturating_add(((identity as usize * 2 + writes as usize) % COUNTS) as u16)
    }

    const fn count(&self, place: NonZeroU16) -> &AtomicU32 {
        &self.0[place.get() as usize % COUNTS]
    }

    /// Whether nothing is outstanding.
    pub fn is_idle(&self, place: NonZeroU16) -> bool {
        // Acquire pairs with the Release of `done`: what was done before is seen to be done.
        self.count(place).load(Ordering::Acquire) == 0
    }

    /// A request goes to the engine.
    pub fn begin(&self, place: NonZeroU16) {
        self.count(place).fetch_add(1, Ordering::Relaxed);
    }

    /// It has ended.
    pub fn done(&self, place: NonZeroU16) {
        self.count(place).fetch_sub(1, Ordering::Release);
    }
}
