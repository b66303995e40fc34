//! The bytes that a device or a plain call is to move, held against what was asked for; and how they are moved.

use super::files::{Files, Nature, pattern};
use super::request::{GUARD, Record};
use super::world::world;
use crate::engine::operation::{Kind, Order};

/// What a device was asked to do.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub kind: Kind,
    pub address: usize,
    pub length: usize,
    pub offset: i64,
    pub file: usize,
}

impl Seen {
    /// The bytes that are to be moved.
    pub fn total(&self) -> usize {
        // SAFETY: what a device or a call is given, of a request that has not ended.
        unsafe { buffers(*self) }.iter().map(|vector| vector.iov_len).sum()
    }
}

impl Record {
    /// The bytes of its buffers.
    pub fn total(&self) -> usize {
        self.pieces.iter().map(|piece| piece.1).sum()
    }

    /// Whether this is what was asked for, from a place in its bytes on.
    pub fn check(&self, seen: Seen, place: usize) {
        assert_eq!(seen.file, self.file, "{self:?} on another file: {seen:?}");
        let are_alike = if self.kind.is_transfer() {
            seen.kind.is_transfer() && seen.kind.writes() == self.kind.writes()
        } else {
            seen.kind == self.kind
        };
        assert!(are_alike, "{self:?}: {seen:?}");
        if !self.kind.is_transfer() {
            return;
        }
        // The program of a face asks for any position, also where there is none.
        let has_place = world().program.is_none() || self.order == Order::Counted;
        assert!(!has_place || seen.offset == self.offset + place as i64, "{self:?} from {place} on: {seen:?}");
        let mut at = place;
        // SAFETY: as in `Seen::total`.
        for vector in unsafe { buffers(seen) }.iter().filter(|vector| vector.iov_len > 0) {
            let mut before = 0;
            let piece = self.pieces.iter().find(|piece| {
                before += piece.1;
                at < before
            });
            let is_its = piece.is_some_and(|&(start, length)| {
                let inside = at - (before - length);
                vector.iov_base.addr() == self.memory.as_ptr().addr() + start + inside
                    && inside + vector.iov_len == length
            });
            assert!(is_its, "{self:?} from {place} on: {vector:?} of {seen:?}");
            at += vector.iov_len;
        }
        assert!(place > 0 || at == self.total(), "{self:?}: {at} bytes of {seen:?}");
    }

    /// Bytes are moved between its buffers, from a place in them on, and the file. How many.
    pub fn transfer(&mut self, files: &mut Files, seen: Seen, place: usize, most: usize) -> usize {
        let file = files.file(self.file);
        let is_stream = file.nature == Nature::Stream;
        if self.kind.writes() {
            let is_at_end = is_stream || self.order == Order::Writing;
            let from = if is_at_end { file.bytes.len() } else { self.offset as usize };
            if most > 0 && file.bytes.len() < from + most {
                file.bytes.resize(from + most, 0);
                file.expected.resize(from + most, 0);
            }
            (0..most).for_each(|place| file.expected[from + place] = pattern(self.id, place));
            // SAFETY: the buffers of a request that has not ended.
            unsafe { each_byte(seen, most, |place, byte| file.bytes[from + place] = *byte) };
            return most;
        }
        let from = if is_stream { file.read } else { (self.offset as usize + place).min(file.bytes.len()) };
        let count = if is_stream { most } else { most.min(file.bytes.len() - from) };
        if self.expected.len() < place + count {
            self.expected.resize(place + count, GUARD);
        }
        let expected = &mut self.expected[place..place + count];
        if is_stream {
            file.read += count;
            let of = usize::MAX - self.file;
            expected.iter_mut().enumerate().for_each(|(place, byte)| *byte = pattern(of, from + place));
            // SAFETY: as above.
            unsafe { each_byte(seen, count, |place, byte| *byte = expected[place]) };
        } else {
            expected.copy_from_slice(&file.expected[from..from + count]);
            // SAFETY: as above.
            unsafe { each_byte(seen, count, |place, byte| *byte = file.bytes[from + place]) };
        }
        count
    }
}

/// What a call was given: one buffer or an array of them.
enum Buffers<'a> {
    One([libc::iovec; 1]),
    Many(&'a [libc::iovec]),
}

impl core::ops::Deref for Buffers<'_> {
    type Target = [libc::iovec];
    fn deref(&self) -> &[libc::iovec] {
        match self {
            Self::One(one) => one,
            Self::Many(many) => many,
        }
    }
}

/// The buffers of a call.
///
/// # Safety
/// It is a transfer, and what it was given is alive.
unsafe fn buffers<'a>(seen: Seen) -> Buffers<'a> {
    if seen.kind.has_vector() {
        // SAFETY: the caller's promise.
        Buffers::Many(unsafe {
            core::slice::from_raw_parts(core::ptr::with_exposed_provenance(seen.address), seen.length)
        })
    } else {
        let iov_base = core::ptr::with_exposed_provenance_mut(seen.address);
        Buffers::One([libc::iovec { iov_base, iov_len: seen.length }])
    }
}

/// # Safety
/// The memory is that of a request.
unsafe fn each_byte(seen: Seen, count: usize, mut act: impl FnMut(usize, &mut u8)) {
    let mut place = 0;
    // SAFETY: the caller's promise.
    for vector in unsafe { buffers(seen) }.iter() {
        for index in 0..vector.iov_len.min(count - place) {
            // SAFETY: the caller's promise.
            act(place, unsafe { &mut *vector.iov_base.cast::<u8>().add(index) });
            place += 1;
        }
    }
}
