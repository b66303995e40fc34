//! The memory that completion rings lie in. A mapping of its own for each would cost `io_setup` a file of the kernel's and
//! two calls more, so small rings share one: pieces of a chunk that is mapped when the first is needed.

use crate::host::kernel::{Errno, syscall};

const PAGE: usize = 4096;

/// Bytes of a chunk. What no ring lies in is never touched, and no memory.
const CHUNK: usize = 64 * PAGE;

/// Pages of the largest piece that comes from a chunk.
const PIECE: usize = 16;

/// Chunks, and what is free in them.
pub struct RingMemory {
    /// The newest chunk, and how much of it was never used: its beginning, so that the next piece lies before the last
    /// one, as the program's mappings of both mostly do, and the kernel can take them for one.
    chunk: usize,
    left: usize,
    /// Pieces that were given back, by their pages.
    free: [Vec<usize>; PIECE],
}

impl RingMemory {
    /// No memory yet.
    pub const fn new() -> Self {
        Self { chunk: 0, left: 0, free: [const { Vec::new() }; PIECE] }
    }

    /// Zeroed, shared memory of whole pages, which a forked child does not inherit.
    ///
    /// # Errors
    /// `ENOMEM`, or what else the kernel answers.
    pub fn take(&mut self, length: usize) -> Result<usize, Errno> {
        if !is_shared(length) {
            return map(length);
        }
        if let Some(piece) = self.free[length / PAGE - 1].pop() {
            return Ok(piece);
        }
        if self.left < length {
            self.keep(self.chunk, self.left);
            (self.chunk, self.left) = match map(CHUNK) {
                Ok(chunk) => (chunk, CHUNK),
                Err(_) => (map(length)?, length),
            };
        }
        self.left -= length;
        Ok(self.chunk + self.left)
    }

    /// Takes back what nobody looks at any more.
    pub fn give_back(&mut self, address: usize, length: usize) {
        // SAFETY: memory of `take`'s, which nobody uses.
        unsafe {
            if !is_shared(length) {
                let _ = syscall!(libc::SYS_munmap, address, length);
                return;
            }
            // Locked pages cannot be given back to the kernel.
            if syscall!(libc::SYS_madvise, address, length, libc::MADV_REMOVE).is_err() {
                (address as *mut u8).write_bytes(0, length);
            }
        }
        self.keep(address, length);
    }

    fn keep(&mut self, address: usize, length: usize) {
        // Where there is no room to remember it, it is lost; that is all.
        if let Some(free) = self.free.get_mut((length / PAGE).wrapping_sub(1))
            && free.try_reserve(1).is_ok()
        {
            free.push(address);
        }
    }
}

/// Whether so much comes from a chunk. (Pages larger than ours could not be mapped piece by piece.)
fn is_shared(length: usize) -> bool {
    // SAFETY: asks for a number.
    length <= PIECE * PAGE && unsafe { libc::getauxval(libc::AT_PAGESZ) } == PAGE as u64
}

fn map(length: usize) -> Result<usize, Errno> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping at an address of the kernel's choice, and advice for it. It is of no use to a child, whose
    // parent alone fills the rings.
    unsafe {
        let address = syscall!(libc::SYS_mmap, 0, length, protection, flags, -1isize, 0)?;
        let _ = syscall!(libc::SYS_madvise, address, length, libc::MADV_DONTFORK);
        Ok(address)
    }
}

#[cfg(test)]
mod tests {
    use super::{CHUNK, PAGE, PIECE, RingMemory};

    fn bytes<'a>(address: usize, length: usize) -> &'a mut [u8] {
        // SAFETY: the tests' own memory, of one user at a time.
        unsafe { core::slice::from_raw_parts_mut(address as *mut u8, length) }
    }

    #[test]
    fn pieces_lie_apart_and_come_back_empty() {
        let mut memory = RingMemory::new();
        let lengths: Vec<usize> = (1..=PIECE + 2).cycle().take(100).map(|pages| pages * PAGE).collect();
        let pieces: Vec<usize> = lengths.iter().map(|&length| memory.take(length).unwrap_or_default()).collect();
        for (number, (&piece, &length)) in pieces.iter().zip(&lengths).enumerate() {
            assert!(bytes(piece, length).iter().all(|&byte| byte == 0), "piece {number}");
            bytes(piece, length).fill(number as u8 + 1);
        }
        for (number, (&piece, &length)) in pieces.iter().zip(&lengths).enumerate() {
            assert!(bytes(piece, length).iter().all(|&byte| byte == number as u8 + 1), "piece {number}");
            memory.give_back(piece, length);
        }
        let again = memory.take(PAGE).unwrap_or_default();
        assert!(pieces.contains(&again) && bytes(again, PAGE).iter().all(|&byte| byte == 0));
    }

    #[test]
    fn memory_is_used_again() {
        let mut memory = RingMemory::new();
        let first = memory.take(PAGE).unwrap_or_default();
        for _ in 0..10 * CHUNK / PAGE {
            memory.give_back(first, PAGE);
            assert_eq!(memory.take(PAGE), Ok(first));
        }
    }
}
