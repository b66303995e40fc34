//! Threads of the program that are not like its others: with a descriptor table of their own (`unshare(CLONE_FILES)`), or
//! with other rights (a raw `setresuid`, which changes the calling thread alone). The engines' threads have the process's
//! table and rights: what such a thread asks for is done where it stands.
//!
//! No thread of the library is started by a separate one: it would have that one's table and rights.
//!
//! A thread is noted when it separates itself through the C library, and forgotten when it ends: another may be made in its
//! place, and a read that waits must not be done in a thread that could have gone on. A thread without any other beside it
//! is not separate, whatever it does: it is the process, and threads that come later are like it. So no thread is in a forked
//! child.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::fork::PerProcess;
use super::hash::mix;
use super::thread_exit_hook::ThreadExitHook;
use super::{memory, thread};

/// Places for threads, a cache line each.
const SETS: usize = 64;

/// Threads that have room in one.
const WAYS: usize = 8;

/// How many sets are looked through for a thread.
const PROBES: usize = 4;

/// The threads of this process that separated themselves. None of them ever came to that in most programs.
struct Separate {
    sets: [Set; SETS],
    /// There was no room for a thread: every one counts as separate.
    is_full: AtomicBool,
}

/// By thread pointer, with [`OWN_DESCRIPTORS`] where it has those; 0 where there is none.
#[repr(align(64))]
struct Set([AtomicUsize; WAYS]);

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
    if thread::is_alone() {
        return;
    }
    let made = SEPARATE.get_or_init(|| {
        let sets = [const { Set([const { AtomicUsize::new(0) }; WAYS]) }; SETS];
        memory::boxed(Separate { sets, is_full: AtomicBool::new(false) })
    });
    let Ok(separate) = made else { return };
    let me = thread::pointer();
    let mark = if own == Own::Descriptors { OWN_DESCRIPTORS } else { 0 };
    // Relaxed throughout: a thread asks about itself alone.
    if let Some(slot) = separate.slot(me) {
        slot.fetch_or(mark, Ordering::Relaxed);
        return;
    }
    ENDS.set(ptr::without_provenance_mut(me));
    let takes = |slot: &AtomicUsize| slot.compare_exchange(0, me | mark, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    if !separate.slots_for(me).any(takes) {
        separate.is_full.store(true, Ordering::Relaxed);
    }
}

static ENDS: ThreadExitHook = ThreadExitHook::new(forget);

/// A separate thread ends.
unsafe extern "C" fn forget(thread: *mut c_void) {
    if let Some(slot) = SEPARATE.get().and_then(|separate| separate.slot(thread.addr())) {
        slot.store(0, Ordering::Relaxed);
    }
}

/// Whether the calling thread sees other descriptors, or has other rights, than the engines.
#[inline]
#[must_use]
pub fn is_separate() -> bool {
    SEPARATE.get().is_some_and(|separate| separate.has(|_| true))
}

/// Whether it sees other descriptors.
#[must_use]
pub fn has_own_descriptors() -> bool {
    SEPARATE.get().is_some_and(|separate| separate.has(|slot| slot & OWN_DESCRIPTORS != 0))
}

impl Separate {
    /// The slots that a thread may have.
    fn slots_for(&self, thread: usize) -> impl Iterator<Item = &AtomicUsize> {
        let first = mix(thread as u64, 0) as usize;
        (0..PROBES).flat_map(move |probe| &self.sets[(first.wrapping_add(probe)) % SETS].0)
    }

    /// The slot that it has.
    fn slot(&self, thread: usize) -> Option<&AtomicUsize> {
        self.slots_for(thread).find(|slot| slot.load(Ordering::Relaxed) & !OWN_DESCRIPTORS == thread)
    }

    /// Whether the calling thread is separate, and its slot is meant.
    #[cold]
    fn has(&self, is_meant: impl Fn(usize) -> bool) -> bool {
        let slot = self.slot(thread::pointer()).map(|slot| slot.load(Ordering::Relaxed));
        if !slot.is_some_and(is_meant) && !self.is_full.load(Ordering::Relaxed) {
            return false;
        }
        if thread::is_alone() {
            // The others have ended.
            self.is_full.store(false, Ordering::Relaxed);
            self.sets.iter().flat_map(|set| &set.0).for_each(|slot| slot.store(0, Ordering::Relaxed));
            return false;
        }
        true
    }
}
