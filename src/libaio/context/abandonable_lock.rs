//! A lock whose holder may leave without releasing it: a signal handler left the holder by `siglongjmp`, or its thread was
//! cancelled. What the lock protects is written so that the next holder can begin anew at any point.
//!
//! A call that finds its own thread holding the lock is one of two: a signal handler that interrupted the holder, for which
//! it must not wait; or the thread's next call, after a handler has left the holder for good. The stack tells them apart: it
//! grows downwards, so an interrupted call began at a higher address of the same stack. A holder that is found again a second
//! later, without the lock having been taken anew meanwhile, counts as gone: another thread, and the own one, whose next call
//! may be deeper than the last.

use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::host::futex;
use crate::host::kernel::{self, syscall};
use crate::host::thread;

/// How long a call may hold the lock before it counts as gone.
const ABANDONED_AFTER_MS: u64 = 1_000;

/// How often a thread may find the lock held by a call that it seems to have interrupted: no handler tries that often.
const MAX_NESTED: u32 = 1_000;

/// Looks at a lock that another thread holds before the caller sleeps between two looks.
const SPINS: u32 = 100;

const NS_PER_MS: u64 = 1_000_000;

const NO_STACK: usize = usize::MAX;

/// The lock. Only the holder writes `stack` and `taken`, and only its thread `nested`: Relaxed.
pub struct AbandonableLock {
    /// The holder's thread pointer, or 0.
    holder: AtomicUsize,
    /// The address of the holder's stack. [`NO_STACK`] while there is none, so that a handler that comes before the stack is
    /// noted sees a holder whom it has interrupted.
    stack: AtomicUsize,
    /// How often the lock was taken.
    taken: AtomicU32,
    /// How often the holder's own thread has found it held since it was taken.
    nested: AtomicU32,
    /// When another thread first found it held since it was taken: `taken` in the upper half, milliseconds in the lower.
    suspected: AtomicU64,
}

/// Why a lock was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// The caller is a signal handler that interrupted the holder.
    Nested,
    /// Another thread has it.
    Elsewhere,
}

/// Whose the lock is for a caller that may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The caller's, who [releases](AbandonableLock::release) it.
    Own,
    /// That of the call which the caller, a signal handler, has interrupted; or of one that its thread has left for good.
    Shared,
}

impl AbandonableLock {
    /// A lock that is free.
    pub const fn new() -> Self {
        Self {
            holder: AtomicUsize::new(0),
            stack: AtomicUsize::new(NO_STACK),
            taken: AtomicU32::new(0),
            nested: AtomicU32::new(0),
            suspected: AtomicU64::new(0),
        }
    }

    /// Takes the lock, if it is free or was abandoned.
    ///
    /// # Errors
    /// Where its holder is.
    #[inline]
    pub fn try_take(&self) -> Result<(), Busy> {
        let here = 0u8;
        let stack = (&raw const here).addr();
        let me = thread::pointer();
        // Acquire pairs with the Release in `release`.
        if let Err(holder) = self.holder.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed) {
            self.take_abandoned(holder, me, stack)?;
        }
        self.stack.store(stack, Ordering::Relaxed);
        self.nested.store(0, Ordering::Relaxed);
        self.taken.store(self.taken.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        Ok(())
    }

    /// Takes the lock as soon as no other thread has it, or shares it with the holder that the caller has interrupted: what
    /// a handler does, it does between two instructions of the holder's.
    #[inline]
    pub fn take_or_share(&self) -> Hold {
        let mut looks = 0;
        loop {
            match self.try_take() {
                Ok(()) => return Hold::Own,
                Err(Busy::Nested) => return Hold::Shared,
                Err(Busy::Elsewhere) if looks < SPINS => core::hint::spin_loop(),
                Err(Busy::Elsewhere) => futex::sleep_50us(),
            }
            looks += 1;
        }
    }

    /// Releases the lock. A holder that counted as gone meanwhile leaves the lock to its successor.
    #[inline]
    pub fn release(&self) {
        let me = thread::pointer();
        if self.holder.load(Ordering::Relaxed) != me {
            return;
        }
        self.stack.store(NO_STACK, Ordering::Relaxed);
        // Release pairs with the Acquire in `try_take` and `take_abandoned`.
        let _ = self.holder.compare_exchange(me, 0, Ordering::Release, Ordering::Relaxed);
    }

    #[cold]
    fn take_abandoned(&self, holder: usize, me: usize, stack: usize) -> Result<(), Busy> {
        let busy = if holder == me { Busy::Nested } else { Busy::Elsewhere };
        if holder == me
            && (has_left(self.stack.load(Ordering::Relaxed), stack)
                || self.nested.fetch_add(1, Ordering::Relaxed) >= MAX_NESTED)
        {
            return Ok(());
        }
        let now_ms = (kernel::now() / NS_PER_MS) & 0xffff_ffff;
        let taken = u64::from(self.taken.load(Ordering::Relaxed)) << 32;
        // Relaxed: a guess that several threads may make at once; the exchange below lets one of them win.
        let suspected = self.suspected.load(Ordering::Relaxed);
        if suspected & !0xffff_ffff != taken || suspected == 0 {
            self.suspected.store(taken | now_ms, Ordering::Relaxed);
            return Err(busy);
        }
        let since_ms = now_ms.wrapping_sub(suspected & 0xffff_ffff) & 0xffff_ffff;
        if since_ms < ABANDONED_AFTER_MS {
            return Err(busy);
        }
        self.suspected.store(0, Ordering::Relaxed);
        self.stack.store(NO_STACK, Ordering::Relaxed);
        // Acquire pairs with the Release in `release`, for what earlier holders did.
        self.holder.compare_exchange(holder, me, Ordering::Acquire, Ordering::Relaxed).map_or(Err(busy), |_| Ok(()))
    }
}

/// Whether a call that began at `noted` on a stack of the calling thread was left, now that the thread is at `here`.
#[cold]
pub fn has_left(noted: usize, here: usize) -> bool {
    here >= noted && !is_above_own_stack(noted, here) && !is_on_signal_stack()
}

/// Whether `here` is on another stack than the thread's own, on which or below which `noted` is: a handler's that was installed
/// with `SS_AUTODISARM`, of which sigaltstack(2) says nothing, or one that a handler has switched to. The C library keeps what
/// the thread pointer names at the top of a thread's stack. The first thread's stack is above all others.
fn is_above_own_stack(noted: usize, here: usize) -> bool {
    let top = thread::pointer();
    noted < top && here > top && kernel::thread_id() != kernel::process_id()
}

/// Whether the calling thread runs on its alternate signal stack.
fn is_on_signal_stack() -> bool {
    // SAFETY: zeros are a valid structure, which the kernel fills.
    let mut stack: libc::stack_t = unsafe { core::mem::zeroed() };
    // SAFETY: changes nothing.
    let asked = unsafe { syscall!(libc::SYS_sigaltstack, 0, &raw mut stack) };
    asked.is_ok() && stack.ss_flags & libc::SS_ONSTACK != 0
}

#[cfg(test)]
mod tests {
    use super::{AbandonableLock, Busy, Hold};

    #[inline(never)]
    fn deeper(lock: &AbandonableLock) -> Result<(), Busy> {
        let room = core::hint::black_box([0u8; 4096]);
        let taken = lock.try_take();
        core::hint::black_box(room);
        taken
    }

    #[inline(never)]
    fn deeper_take(lock: &AbandonableLock) -> Hold {
        let room = core::hint::black_box([0u8; 4096]);
        let hold = lock.take_or_share();
        core::hint::black_box(room);
        hold
    }

    #[test]
    #[cfg_attr(miri, ignore = "it goes by positions in a stack, which Miri has not")]
    fn a_handler_does_not_wait_for_what_it_interrupted() {
        let lock = AbandonableLock::new();
        assert_eq!(lock.try_take(), Ok(()));
        assert_eq!(deeper(&lock), Err(Busy::Nested));
        assert_eq!(deeper_take(&lock), Hold::Shared);
        lock.release();
        assert_eq!(deeper(&lock), Ok(()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "it goes by positions in a stack, which Miri has not")]
    fn a_holder_that_jumped_away_has_left() {
        let lock = AbandonableLock::new();
        assert_eq!(deeper(&lock), Ok(()));
        assert_eq!(lock.try_take(), Ok(()));
    }

    #[test]
    fn another_thread_has_a_second() {
        let lock = AbandonableLock::new();
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(lock.try_take(), Ok(())));
        });
        assert_eq!(lock.try_take(), Err(Busy::Elsewhere));
        assert_eq!(lock.take_or_share(), Hold::Own);
    }
}
