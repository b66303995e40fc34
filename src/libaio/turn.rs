//! A reaper's turn: one thread at a time takes events out of a ring, for as long as copying them takes.
//!
//! A signal handler that reaps may have interrupted its own thread's turn, which it cannot wait for; or an earlier handler
//! may have left that turn by `siglongjmp`, so that it has ended without a word. The stack tells the two apart.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use core::time::Duration;

use crate::host::futex::{self, Deadline};
use crate::host::kernel::{Errno, syscall};
use crate::host::thread;

/// How long another thread's turn may take before it counts as left, with the thread.
const LONG: Duration = Duration::from_secs(2);

/// How often a thread may find its own turn interrupted: no handler tries that long.
const OFTEN: u32 = 1000;

/// Whose turn it is.
pub struct Turn {
    /// The thread, by its thread pointer; 0: nobody's.
    holder: AtomicUsize,
    /// Where its stack was.
    stack: AtomicUsize,
    /// How often its own thread has found the turn interrupted since it began.
    found: AtomicU32,
}

impl Turn {
    /// Nobody's.
    pub const fn new() -> Self {
        Self { holder: AtomicUsize::new(0), stack: AtomicUsize::new(0), found: AtomicU32::new(0) }
    }

    /// Takes the turn, as soon as nobody else has it.
    ///
    /// # Errors
    /// `EINTR`: the caller is a signal handler that interrupted a turn of its own thread's.
    #[inline]
    pub fn take(&self) -> Result<(), Errno> {
        let here = 0u8;
        let stack = (&raw const here).addr();
        // Acquire pairs with the Release of `release`.
        if self.holder.compare_exchange(0, thread::pointer(), Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.await_turn(stack)?;
        }
        self.stack.store(stack, Ordering::Relaxed);
        self.found.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Lets the next one.
    #[inline]
    pub fn release(&self) {
        self.holder.store(0, Ordering::Release);
    }

    #[cold]
    fn await_turn(&self, stack: usize) -> Result<(), Errno> {
        let me = thread::pointer();
        let end = Deadline::after(LONG);
        let mut looks = 0;
        while let Err(holder) = self.holder.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed) {
            if holder == me {
                // The stack grows downwards: a turn that this call interrupted began above.
                let left = (stack >= self.stack.load(Ordering::Relaxed) && !is_on_signal_stack())
                    || self.found.fetch_add(1, Ordering::Relaxed) >= OFTEN;
                return if left { Ok(()) } else { Err(Errno(libc::EINTR)) };
            }
            looks += 1;
            if looks < 100 {
                core::hint::spin_loop();
            } else if end.left() != Some(0) {
                futex::linger();
            } else if self.holder.compare_exchange(holder, me, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                break;
            }
        }
        Ok(())
    }
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
    use super::Turn;
    use crate::host::kernel::Errno;

    #[inline(never)]
    fn deeper(turn: &Turn) -> Result<(), Errno> {
        let room = core::hint::black_box([0u8; 4096]);
        let taken = turn.take();
        core::hint::black_box(room);
        taken
    }

    #[test]
    fn an_interrupted_turn_goes_on() {
        let turn = Turn::new();
        assert_eq!(turn.take(), Ok(()));
        assert_eq!(deeper(&turn), Err(Errno(libc::EINTR)));
        turn.release();
        assert_eq!(deeper(&turn), Ok(()));
    }

    #[test]
    fn a_turn_that_was_left_has_ended() {
        let turn = Turn::new();
        assert_eq!(deeper(&turn), Ok(()));
        assert_eq!(turn.take(), Ok(()));
    }
}
