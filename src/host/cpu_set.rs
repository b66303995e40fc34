//! A set of CPUs, as `sched_setaffinity(2)` and `URINGAIO_CPUS` have it.

use super::kernel::{Errno, syscall};

/// More CPUs than any kernel is built for: 8192.
pub const MASK_WORDS: usize = 128;

/// A set of CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuSet {
    words: [u64; MASK_WORDS],
}

impl CpuSet {
    const EMPTY: Self = Self { words: [0; MASK_WORDS] };

    /// The calling thread's.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn of_this_thread() -> Result<Self, Errno> {
        let mut set = Self::EMPTY;
        // SAFETY: writes at most the size given.
        unsafe { syscall!(libc::SYS_sched_getaffinity, 0, size_of::<Self>(), set.words.as_mut_ptr()) }?;
        Ok(set)
    }

    /// A list such as `0-3,8`; none if it is something else, or empty.
    #[must_use]
    pub fn parse(list: &[u8]) -> Option<Self> {
        let mut set = Self::EMPTY;
        for range in core::str::from_utf8(list).ok()?.split(',') {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            if first > last {
                return None;
            }
            for cpu in first..=last {
                *set.words.get_mut(cpu / 64)? |= 1 << (cpu % 64);
            }
        }
        Some(set)
    }

    /// A set by the words of the kernel's mask.
    #[must_use]
    pub const fn from_words(words: &[u64; MASK_WORDS]) -> Self {
        Self { words: *words }
    }

    /// The words of the kernel's mask.
    #[must_use]
    pub const fn words(&self) -> [u64; MASK_WORDS] {
        self.words
    }

    /// As system calls take it: where it lies, and its size in bytes.
    #[must_use]
    pub const fn as_raw(&self) -> (*const u64, usize) {
        (self.words.as_ptr(), size_of::<Self>())
    }
}
