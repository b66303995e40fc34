//! Files that the engine holds after the program may have closed their numbers: slots of the device's file table.
//!
//! A descriptor of our own (`dup`) would be seen by the program, and closing it would drop the process's POSIX locks on the
//! file (fcntl(2)); a slot has neither effect.

use std::collections::HashMap;

/// A slot that holds a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FixedFile(pub(super) u32);

/// Which slots are free.
pub struct FixedFiles {
    free: Vec<u32>,
}

impl FixedFiles {
    /// A table of `slots` empty slots.
    #[must_use]
    pub fn new(slots: u32) -> Self {
        Self { free: (0..slots).rev().collect() }
    }

    /// A free slot.
    pub fn take(&mut self) -> Option<FixedFile> {
        self.free.pop().map(FixedFile)
    }

    /// A slot is free again.
    pub fn give_back(&mut self, pin: FixedFile) {
        self.free.push(pin.0);
    }
}

/// A descriptor number at one time of its life: as long as it was not seen to be closed, it is one file.
pub type Name = (i32, u32);

/// FixedFiles that several operations share.
#[derive(Default)]
pub struct SharedFixedFiles {
    pins: HashMap<Name, FixedFile>,
    counts: HashMap<FixedFile, (u32, Name)>,
}

impl SharedFixedFiles {
    /// The pin that already holds descriptor `fd` of this generation, with one sharer more.
    pub fn share(&mut self, fd: i32, generation: u32) -> Option<FixedFile> {
        let pin = *self.pins.get(&(fd, generation))?;
        self.counts.get_mut(&pin)?.0 += 1;
        Some(pin)
    }

    /// A pin just made for `fd` may be shared; it has one sharer.
    pub fn insert(&mut self, pin: FixedFile, fd: i32, generation: u32) {
        self.pins.insert((fd, generation), pin);
        self.counts.insert(pin, (1, (fd, generation)));
    }

    /// `count` sharers fewer. True if it was the last: the slot can be emptied.
    pub fn leave(&mut self, pin: FixedFile, count: u32) -> bool {
        let Some((sharers, name)) = self.counts.get_mut(&pin) else { return false };
        *sharers = sharers.saturating_sub(count);
        if *sharers > 0 {
            return false;
        }
        let name = *name;
        self.counts.remove(&pin);
        self.pins.remove(&name);
        true
    }
}
