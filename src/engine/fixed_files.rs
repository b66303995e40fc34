//! Fixed files: slots of the device's file table, which hold files after the program may have closed their numbers.
//!
//! A duplicated descriptor would be seen by the program, and closing it would drop the process's POSIX locks on the
//! file (fcntl(2)); a slot has neither effect.

use core::num::NonZeroU32;
use std::collections::HashMap;

use crate::host::{descriptors, kernel};

/// A slot that holds a file: its number plus 1, so that none takes no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FixedFile(NonZeroU32);

impl FixedFile {
    /// The slot of this number.
    pub(super) const fn new(slot: u32) -> Self {
        match NonZeroU32::new(slot.wrapping_add(1)) {
            Some(name) => Self(name),
            // No table has so many.
            None => Self(NonZeroU32::MAX),
        }
    }

    /// Its number.
    pub(super) const fn slot(self) -> u32 {
        self.0.get() - 1
    }
}

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
        self.free.pop().map(FixedFile::new)
    }

    /// A slot is free again.
    pub fn give_back(&mut self, file: FixedFile) {
        self.free.push(file.slot());
    }
}

/// A descriptor number at one time of its life: as long as it was not seen to be closed, it is one file.
pub type Name = (i32, u32);

/// Fixed files that several operations share.
#[derive(Default)]
pub struct SharedFixedFiles {
    files: HashMap<Name, FixedFile>,
    counts: HashMap<FixedFile, (u32, Name)>,
}

impl SharedFixedFiles {
    /// The file that already holds descriptor `fd` of this generation, shared by one more.
    pub fn share(&mut self, fd: i32, generation: u32) -> Option<FixedFile> {
        let file = *self.files.get(&(fd, generation))?;
        self.counts.get_mut(&file)?.0 += 1;
        Some(file)
    }

    /// A file that was just made for `fd`, and has one user, may be shared.
    pub fn insert(&mut self, file: FixedFile, fd: i32, generation: u32) {
        self.files.insert((fd, generation), file);
        self.counts.insert(file, (1, (fd, generation)));
    }

    /// Adds to an eventfd by the program's own number, if that is still the same file: what held it is gone.
    pub fn signal_by_number(&self, file: FixedFile, count: u32) {
        if let Some(&(_, (fd, generation))) = self.counts.get(&file) {
            descriptors::while_open(fd, generation, || kernel::add_to_eventfd(fd, count));
        }
    }

    /// `count` users fewer. True if none is left: the slot can be emptied.
    pub fn leave(&mut self, file: FixedFile, count: u32) -> bool {
        let Some((users, name)) = self.counts.get_mut(&file) else { return false };
        *users = users.saturating_sub(count);
        if *users > 0 {
            return false;
        }
        let name = *name;
        self.counts.remove(&file);
        self.files.remove(&name);
        true
    }
}
