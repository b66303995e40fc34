//! Ranges of addresses: whether two overlap, and the pages that they consist of.

/// Bytes of a page. (The kernel's pages may be larger on aarch64; then pages of this size are its parts.)
pub const PAGE_BYTES: usize = 4096;

/// So many bytes from an address on. What would reach beyond the last address ends there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    start: usize,
    length: usize,
}

impl AddressRange {
    /// `length` bytes from `start` on.
    pub const fn new(start: usize, length: usize) -> Self {
        Self { start, length }
    }

    /// The first address.
    pub const fn start(self) -> usize {
        self.start
    }

    /// Bytes.
    pub const fn length(self) -> usize {
        self.length
    }

    const fn end(self) -> usize {
        self.start.saturating_add(self.length)
    }

    /// Whether a byte lies in both.
    pub const fn overlaps(self, other: Self) -> bool {
        self.length > 0 && other.length > 0 && self.start < other.end() && other.start < self.end()
    }

    /// Whether it contains this address.
    pub const fn contains(self, address: usize) -> bool {
        address.wrapping_sub(self.start) < self.length
    }
}

#[cfg(test)]
mod tests {
    use super::AddressRange;

    #[test]
    fn ranges_overlap_where_they_share_a_byte() {
        let range = AddressRange::new(100, 10);
        for (start, length, overlaps) in
            [(90, 10, false), (90, 11, true), (109, 1, true), (110, 5, false), (105, 0, false), (0, usize::MAX, true)]
        {
            let other = AddressRange::new(start, length);
            assert_eq!((range.overlaps(other), other.overlaps(range)), (overlaps, overlaps), "{other:?}");
        }
        assert!(range.contains(100) && range.contains(109) && !range.contains(110) && !range.contains(99));
    }
}
