//! The memory of completion rings. A mapping for each ring would cost `io_setup` a file of the kernel's and two more calls,
//! so small rings are pieces of a chunk, which is mapped when the first is needed.

use crate::host::address_range::PAGE_BYTES;
use crate::host::kernel::{self, Errno, syscall};

/// Bytes of a chunk. Pages that no ring uses are never touched, and take no memory.
const CHUNK_BYTES: usize = 64 * PAGE_BYTES;

/// Pages of the largest piece that comes from a chunk.
const MAX_PIECE_PAGES: usize = 16;

/// Chunks, and the free pieces in them.
pub struct RingMemory {
    /// The newest chunk.
    chunk: usize,
    /// Bytes of it that were never used. They are its beginning: so the next piece lies before the last one, as the program's
    /// mappings of both mostly do, and the kernel can merge them.
    left: usize,
    /// Pieces that were given back, by their pages.
    free: [Vec<usize>; MAX_PIECE_PAGES],
}

impl RingMemory {
    /// No memory yet.
    pub const fn new() -> Self {
        Self { chunk: 0, left: 0, free: [const { Vec::new() }; MAX_PIECE_PAGES] }
    }

    /// Zeroed, shared memory of whole pages, which a forked child does not inherit.
    ///
    /// # Errors
    /// `ENOMEM`, or another answer of the kernel's.
    pub fn take(&mut self, length: usize) -> Result<usize, Errno> {
        if !is_shared(length) {
            return map(length);
        }
        if let Some(piece) = self.free[length / PAGE_BYTES - 1].pop() {
            return Ok(piece);
        }
        if self.left < length {
            self.keep(self.chunk, self.left);
            (self.chunk, self.left) = match map(CHUNK_BYTES) {
                Ok(chunk) => (chunk, CHUNK_BYTES),
                Err(_) => (map(length)?, length),
            };
        }
        self.left -= length;
        Ok(self.chunk + self.left)
    }

    /// Takes back memory that no thread looks at any more.
    pub fn give_back(&mut self, address: usize, length: usize) {
        // SAFETY: `take` gave the memory, and no thread uses it.
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
        // Without room to remember it, the piece is lost.
        if let Some(free) = self.free.get_mut((length / PAGE_BYTES).wrapping_sub(1))
            && free.try_reserve(1).is_ok()
        {
            free.push(address);
        }
    }
}

/// Whether so much comes from a chunk. (Where the machine's pages are larger, pieces could not be mapped one by one.)
fn is_shared(length: usize) -> bool {
    length <= MAX_PIECE_PAGES * PAGE_BYTES && kernel::page_size() == PAGE_BYTES
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
    use super::{CHUNK_BYTES, MAX_PIECE_PAGES, PAGE_BYTES, RingMemory};

    fn bytes<'a>(address: usize, length: usize) -> &'a mut [u8] {
        // SAFETY: the tests' own memory, of one user at a time.
        unsafe { core::slice::from_raw_parts_mut(address as *mut u8, length) }
    }

    /// Miri takes a thousand times as long.
    const COUNT: usize = if cfg!(miri) { 4 } else { 100 };

    #[test]
    fn pieces_lie_apart_and_come_back_empty() {
        let mut memory = RingMemory::new();
        let lengths: Vec<usize> =
            (1..=MAX_PIECE_PAGES + 2).cycle().take(COUNT).map(|pages| pages * PAGE_BYTES).collect();
        let pieces: Vec<usize> = lengths.iter().map(|&length| memory.take(length).unwrap_or_default()).collect();
        for (number, (&piece, &length)) in pieces.iter().zip(&lengths).enumerate() {
            assert!(bytes(piece, length).iter().all(|&byte| byte == 0), "piece {number}");
            bytes(piece, length).fill(number as u8 + 1);
        }
        for (number, (&piece, &length)) in pieces.iter().zip(&lengths).enumerate() {
            assert!(bytes(piece, length).iter().all(|&byte| byte == number as u8 + 1), "piece {number}");
            memory.give_back(piece, length);
        }
        let again = memory.take(PAGE_BYTES).unwrap_or_default();
        assert!(pieces.contains(&again) && bytes(again, PAGE_BYTES).iter().all(|&byte| byte == 0));
    }

    #[test]
    fn memory_is_used_again() {
        let mut memory = RingMemory::new();
        let first = memory.take(PAGE_BYTES).unwrap_or_default();
        for _ in 0..10 * CHUNK_BYTES / PAGE_BYTES {
            memory.give_back(first, PAGE_BYTES);
            assert_eq!(memory.take(PAGE_BYTES), Ok(first));
        }
    }
}
