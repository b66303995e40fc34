//! How many operations a ring takes: a thousand at first, and four times as many whenever a thread has had more under way, up
//! to what the engine's own takes. (The rest would go by the engine's thread, and two threads would wait for the places of one
//! device, with a wake for each request.)
//!
//! The kernel widens no ring before 6.13, so another is made, at a moment at which nothing is under way in the narrow one. What
//! comes until then goes by the engine. The narrow one stays until the thread ends: a signal handler that widens the ring may
//! have interrupted a frame that looks at it. Such a frame finds nothing there, and looks again.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering;

use super::Ring;
use crate::engine::private::parts::Parts;
use crate::engine::private::{WIDE, make};

/// [`Ring::width`]: it does; it does not; it is as wide as can be.
const WIDE_ENOUGH: u8 = 0;
const OUTGROWN: u8 = 1;
const WIDEST: u8 = 2;

/// How many times as much a wider ring takes.
const STEP: u32 = 4;

impl Ring {
    /// It has no room for an operation. For the ring's thread, as are all of these.
    #[cold]
    pub(in crate::engine::private) fn outgrow(&self) {
        // Relaxed here and below: one thread reads and writes it. (A handler that comes in between says the same.)
        if self.width.load(Ordering::Relaxed) == WIDE_ENOUGH {
            self.width.store(OUTGROWN, Ordering::Relaxed);
        }
    }

    /// Whether it could be wider, and should.
    #[inline]
    pub(super) fn is_outgrown(&self) -> bool {
        self.width.load(Ordering::Relaxed) == OUTGROWN
    }

    pub(super) fn reset_width(&self) {
        self.width.store(WIDE_ENOUGH, Ordering::Relaxed);
    }

    /// Makes it wider, or leaves it as it is where that cannot be had. False: there is something under way, and it must wait.
    #[cold]
    pub(super) fn widen(&self) -> bool {
        if self.in_flight() > 0 || !self.is_in_use() || !self.begin_making() {
            return false;
        }
        let places = self.parts().map_or(WIDE, |parts| (parts.places() * STEP).min(WIDE));
        let mut width = WIDEST;
        if let Ok(wider) = make(places) {
            self.put_in_place(wider);
            if places < WIDE {
                width = WIDE_ENOUGH;
            }
        }
        self.width.store(width, Ordering::Relaxed);
        self.end_making();
        true
    }

    fn put_in_place(&self, mut wide: Box<Parts>) {
        if let Some(narrow) = NonNull::new(self.parts.load(Ordering::Relaxed)) {
            // SAFETY: a box, which is no longer the ring's own from here on; nothing is under way.
            unsafe { wide.replace(narrow) };
        }
        self.disarm();
        // Release pairs with the Acquire of `parts`.
        self.parts.store(Box::into_raw(wide), Ordering::Release);
    }

    /// It waits on no words: it is a new one.
    pub(super) fn disarm(&self) {
        for word in &self.armed {
            word.store(ptr::null_mut(), Ordering::Relaxed);
        }
    }

    /// Whether these are its parts, not those of a narrower one.
    pub(super) fn is_made_of(&self, parts: &Parts) -> bool {
        ptr::eq(self.parts.load(Ordering::Relaxed), parts)
    }
}
