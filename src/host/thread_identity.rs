//! Threads of the program that are not like its others: with a descriptor table of their own (`unshare(CLONE_FILES)`), or
//! with other rights (a raw `setresuid`, which changes the calling thread alone). The engines' threads have the process's
//! table and rights: what such a thread asks for is done where it stands.
//!
//! No thread of the library is started by a separate one: it would have that one's table and rights.
//!
//! A thread is noted when it separates itself through the C library, and forgotten when it ends: another may be made in its
//! place, and a read that waits must not be done in a thread that could have gone on. A thread without any other beside it
//! is not separate, whatever it does: it is the process, and threads that come later are like it. So nobody is in a forked
//! child.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::fork::PerProcess;
use super::thread_exit_hook::ThreadExitHook;
use super::{file_info, memory, thread};

const SLOTS: usize = 64;

/// The threads of this process that separated themselves. None of them ever came to that in most programs.
struct Separate {
    /// By thread pointer, with [`OWN_DESCRIPTORS`] where it has those; 0 where the thread has ended.
    threads: [AtomicUsize; SLOTS],
    /// How many slots were ever used. More than there are: every thread counts as separate.
    count: AtomicU32,
}

static SEPARATE: PerProcess<Separate> = PerProcess::new(5);

/// What a thread has of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// A descriptor table.
    Descriptors,
    /// Rights.
    Rights,
}

/// In a slot, whose thread pointer is aligned.
const OWN_DESCRIPTORS: usize = 1;

/// The calling thread has separated itself.
pub fn note_separate(own: Own) {
    if is_alone() {
        return;
    }
    let made = SEPARATE.get_or_init(|| {
        memory::boxed(Separate { threads: [const { AtomicUsize::new(0) }; SLOTS], count: AtomicU32::new(0) })
    });
    let Ok(separate) = made else { return };
    let me = thread::pointer();
    let mark = if own == Own::Descriptors { OWN_DESCRIPTORS } else { 0 };
    // Relaxed throughout: a thread asks about itself alone.
    if let Some(slot) = separate.slot_of(me) {
        slot.fetch_or(mark, Ordering::Relaxed);
        return;
    }
    ENDS.set(ptr::without_provenance_mut(me));
    let takes = |slot: &AtomicUsize| slot.compare_exchange(0, me | mark, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    let used = separate.threads.iter().position(takes).unwrap_or(SLOTS) as u32 + 1;
    separate.count.fetch_max(used, Ordering::Relaxed);
}

static ENDS: ThreadExitHook = ThreadExitHook::new(forget);

/// A separate thread ends.
unsafe extern "C" fn forget(thread: *mut c_void) {
    if let Some(slot) = SEPARATE.get().and_then(|separate| separate.slot_of(thread.addr())) {
        slot.store(0, Ordering::Relaxed);
    }
}

/// Whether the calling thread sees other descriptors, or has other rights, than the engines.
#[inline]
#[must_use]
pub fn is_separate() -> bool {
    SEPARATE.get().is_some_and(|separate| separate.count.load(Ordering::Relaxed) > 0 && separate.has(|_| true))
}

/// Whether it sees other descriptors.
#[must_use]
pub fn has_own_descriptors() -> bool {
    SEPARATE.get().is_some_and(|separate| separate.has(|slot| slot & OWN_DESCRIPTORS != 0))
}

/// Whether the process has no other thread. Not where that cannot be known.
fn is_alone() -> bool {
    // The kernel counts the threads as the folder's links, beside the two of every folder.
    file_info::links(c"/proc/self/task") == Some(2 + 1)
}

impl Separate {
    fn slot_of(&self, thread: usize) -> Option<&AtomicUsize> {
        let used = self.count.load(Ordering::Relaxed) as usize;
        self.threads[..used.min(SLOTS)].iter().find(|slot| slot.load(Ordering::Relaxed) & !OWN_DESCRIPTORS == thread)
    }

    /// Whether the calling thread is separate, and its slot is meant.
    #[cold]
    fn has(&self, is_meant: impl Fn(usize) -> bool) -> bool {
        let overflows = self.count.load(Ordering::Relaxed) as usize > SLOTS;
        let slot = self.slot_of(thread::pointer()).map(|slot| slot.load(Ordering::Relaxed));
        if !overflows && !slot.is_some_and(is_meant) {
            return false;
        }
        if is_alone() {
            // The others have ended.
            self.count.store(0, Ordering::Relaxed);
            self.threads.iter().for_each(|slot| slot.store(0, Ordering::Relaxed));
            return false;
        }
        true
    }
}
