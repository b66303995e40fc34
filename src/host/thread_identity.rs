//! Threads of the program that are not like its others: with a descriptor table of their own (`unshare(CLONE_FILES)`), or
//! with other rights (a raw `setresuid`, which changes the calling thread alone). The engines' threads have the process's
//! table and rights: what such a thread asks for is done where it stands.
//!
//! A thread is noted when it separates itself through the C library, and forgotten when it ends: another may be made in its
//! place, and a read that waits must not be done in a thread that could have gone on. In a forked child nobody is separate:
//! its one thread is the process.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::host::fork::PerProcess;
use crate::host::memory;
use crate::host::thread;
use crate::host::thread_exit_hook::ThreadExitHook;

const SLOTS: usize = 64;

/// The threads of this process that separated themselves. None of them ever came to that in most programs.
struct Separate {
    /// By thread pointer; 0 where the thread has ended.
    threads: [AtomicUsize; SLOTS],
    /// How many slots were ever used. More than there are: every thread counts as separate.
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
        ENDS.set(ptr::without_provenance_mut(me));
        // Relaxed throughout: a thread asks about itself alone.
        let takes = |slot: &AtomicUsize| slot.compare_exchange(0, me, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        let used = separate.threads.iter().position(takes).unwrap_or(SLOTS) as u32 + 1;
        separate.count.fetch_max(used, Ordering::Relaxed);
    }
}

static ENDS: ThreadExitHook = ThreadExitHook::new(forget);

/// A separate thread ends.
unsafe extern "C" fn forget(thread: *mut c_void) {
    if let Some(separate) = SEPARATE.get() {
        for slot in &separate.threads {
            let _ = slot.compare_exchange(thread.addr(), 0, Ordering::Relaxed, Ordering::Relaxed);
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
