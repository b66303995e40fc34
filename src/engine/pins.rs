//! Files that the engine holds after the program may have closed their numbers: slots of the device's file table.
//!
//! A descriptor of our own (`dup`) would be seen by the program, and closing it would drop the process's POSIX locks on the
//! file (fcntl(2)); a slot has neither effect.

use std::collections::HashMap;

/// A slot that holds a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pin(pub(super) u32);

/// Which slots are free.
pub struct Pins {
    free: Vec<u32>,
}

impl Pins {
    /// A table of `slots` empty slots.
    #[must_use]
    pub fn new(slots: u32) -> Self {
        Self { free: (0..slots).rev().collect() }
    }

    /// A free slot.
    pub fn take(&mut self) -> Option<Pin> {
        self.free.pop().map(Pin)
    }

    /// A slot is free again.
    pub fn give_back(&mut self, pin: Pin) {
        self.free.push(pin.0);
    }
}

/// A descriptor number at one time of its life: as long as it was not seen to be closed, it is one file.
pub type Name = (i32, u32);

/// Pins that several operations share.
#[derive(Default)]
pub struct Sharers {
    pins: HashMap<Name, Pin>,
    counts: HashMap<Pin, (u32, Name)>,
}

impl Sharers {
    /// The pin that already holds descriptor `fd` of this generation, with one sharer more.
    pub fn share(&mut self, fd: i32, generation: u32) -> Option<Pin> {
        let pin = *self.pins.get(&(fd, generation))?;
        self.counts.get_mut(&pin)?.0 += 1;
        Some(pin)
    }

    /// A pin just made for `fd` may be shared; it has one sharer.
    pub fn insert(&mut self, pin: Pin, fd: i32, generation: u32) {
        self.pins.insert((fd, generation), pin);
        self.counts.insert(pin, (1, (fd, generation)));
    }

    /// `count` sharers more.
    pub fn join(&mut self, pin: Pin, count: u32) {
        if let Some((sharers, _)) = self.counts.get_mut(&pin) {
            *sharers += count;
        }
    }

    /// All pins, with how many share each and what it was made for.
    pub fn all(&self) -> impl Iterator<Item = (Pin, u32, Name)> + '_ {
        self.counts.iter().map(|(&pin, &(sharers, name))| (pin, sharers, name))
    }

    /// `count` sharers fewer. True if it was the last: the slot can be emptied.
    pub fn leave(&mut self, pin: Pin, count: u32) -> bool {
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
