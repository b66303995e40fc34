//! The two queues of a ring, for the thread that alone uses them.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use io_uring::squeue;

use super::ring_layout::{CompletionEntry, Parameters};

/// What became of an entry.
#[derive(Clone, Copy, Debug)]
pub struct Completion {
    /// The entry's user data.
    pub data: u64,
    pub result: i32,
}

/// Both queues of a ring, and its entries, in memory that their maker keeps.
pub struct Queues {
    rings: *mut c_void,
    entries: *mut squeue::Entry,
    parameters: Parameters,
}

impl Queues {
    /// The queues that lie in `rings`, and the entries that lie in `entries`.
    ///
    /// # Safety
    /// The kernel gave these parameters for this memory, which stays as long as the queues. Index and entries have the same
    /// order, or there is no index (`NO_SQARRAY`).
    pub const unsafe fn new(rings: *mut c_void, entries: *mut c_void, parameters: Parameters) -> Self {
        Self { rings, entries: entries.cast(), parameters }
    }

    /// Whether the kernel has what this bit stands for.
    pub const fn has_feature(&self, feature: u32) -> bool {
        self.parameters.features & feature != 0
    }

    /// Where both queues and the entries are.
    #[cfg(test)]
    pub const fn addresses(&self) -> [*mut c_void; 2] {
        [self.rings, self.entries.cast()]
    }

    /// Completions that fit.
    pub const fn completions(&self) -> u32 {
        self.parameters.completions
    }

    fn word(&self, offset: u32) -> &AtomicU32 {
        // SAFETY: the kernel gave the offset, within the memory.
        unsafe { &*self.rings.byte_add(offset as usize).cast::<AtomicU32>() }
    }

    /// Puts an entry into the submission queue. False: there is no room.
    ///
    /// # Safety
    /// What the entry points to stays until its completion.
    #[must_use]
    pub unsafe fn push(&mut self, entry: &squeue::Entry) -> bool {
        let submission = &self.parameters.submission;
        // Relaxed: this thread alone writes it.
        let tail = self.word(submission.tail).load(Ordering::Relaxed);
        // Acquire pairs with the kernel's Release: it has read the entries before.
        let head = self.word(submission.head).load(Ordering::Acquire);
        if tail.wrapping_sub(head) >= self.parameters.submissions {
            return false;
        }
        // SAFETY: within the entries, and free.
        unsafe {
            let place = self.entries.add((tail & (self.parameters.submissions - 1)) as usize);
            ptr::copy_nonoverlapping(entry, place, 1);
        }
        // Release: the kernel finds the entry whole.
        self.word(submission.tail).store(tail.wrapping_add(1), Ordering::Release);
        true
    }

    /// The user data of an entry that the kernel has not taken: the oldest has index 0.
    pub fn untaken(&self, index: u32) -> Option<u64> {
        let submission = &self.parameters.submission;
        // Relaxed and Acquire as in `push`.
        let tail = self.word(submission.tail).load(Ordering::Relaxed);
        let head = self.word(submission.head).load(Ordering::Acquire);
        let place = (head.wrapping_add(index) & (self.parameters.submissions - 1)) as usize;
        // SAFETY: within the entries, and one that `push` has written.
        (index < tail.wrapping_sub(head)).then(|| unsafe { (*self.entries.add(place)).get_user_data() })
    }

    /// Takes the next completion.
    pub fn pop(&mut self) -> Option<Completion> {
        let completion = &self.parameters.completion;
        // Relaxed: this thread alone writes it.
        let head = self.word(completion.head).load(Ordering::Relaxed);
        // Acquire pairs with the kernel's Release: the completion is whole.
        if head == self.word(completion.tail).load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: within the completions, and this thread's until the head has passed it.
        let this = unsafe {
            let first = self.rings.byte_add(completion.completions as usize).cast::<CompletionEntry>();
            &*first.add((head & (self.parameters.completions - 1)) as usize)
        };
        let taken =
            Completion { data: this.user_data.load(Ordering::Relaxed), result: this.result.load(Ordering::Relaxed) };
        // Release pairs with the kernel's Acquire: it has been read.
        self.word(completion.head).store(head.wrapping_add(1), Ordering::Release);
        Some(taken)
    }
}
