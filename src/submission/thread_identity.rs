//! Threads of the program that are not like its others: with a descriptor table of their own (`unshare(CLONE_FILES)`), or
//! with other rights (a raw `setresuid`, which changes the calling thread alone). The engines' threads have the process's
//! table and rights: what such a thread asks for is done where it stands.
//!
//! A thread is noted when it separates itself through the C library. In a forked child nobody is separate: its one thread is
//! the process. A thread that is taken for separate without being so is served where it stands, which is slower and never
//! wrong.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::host::memory;
use crate::host::process::PerProcess;
use crate::host::thread;

const SLOTS: usize = 64;

/// The threads of this process that separated themselves. None of them ever came to that in most programs.
struct Separate {
    /// By thread pointer.
    threads: [AtomicUsize; SLOTS],
    /// How many there ever were. More than there are slots: every thread counts as separate.
    count: AtomicU32,
}

static SEPARATE: PerProcess<Separate> = PerProcess::new(5);

/// The calling thread has separated itself.
pub fn note_separate() {
    let made = SEPARATE.get_or_init(|| {
        memory::boxed(Separate { threads: [const { AtomicUsize::new(0) }; SLOTS], count: AtomicU32::new(0) })
    });
    let me = thread::pointer();
    if let Ok(separate) = made
        && !separate.has(me)
    {
        // Relaxed throughout: a thread asks about itself alone.
        let count = separate.count.fetch_add(1, Ordering::Relaxed);
        if let Some(slot) = separate.threads.get(count as usize) {
            slot.store(me, Ordering::Relaxed);
        }
    }
}

/// Whether the calling thread sees other descriptors, or has other rights, than the engines.
#[inline]
#[must_use]
pub fn is_separate() -> bool {
    SEPARATE.get().is_some_and(|separate| separate.has(thread::pointer()))
}

impl Separate {
    fn has(&self, thread: usize) -> bool {
        let count = self.count.load(Ordering::Relaxed) as usize;
        count > SLOTS || self.threads[..count.min(SLOTS)].iter().any(|slot| slot.load(Ordering::Relaxed) == thread)
    }
}
