//! `io_pgetevents`: `io_getevents` with a signal mask that the kernel sets and restores together with the sleep.
//!
//! No futex call takes a mask. `io_uring_enter(2)` does: a ring of two entries, made for one call and used by this thread
//! alone, waits on the context's futex word. It never has a descriptor (`IORING_SETUP_REGISTERED_FD_ONLY`), and interrupts no
//! other call of the thread (`DEFER_TASKRUN`). Only a call that has to sleep pays for it.

use core::sync::atomic::AtomicU32;

use io_uring::opcode;

use super::io_getevents::{self, Sleep, Waited, Wanted};
use super::timeout::Timeout;
use crate::engine::raw_ring::RawRing;
use crate::host::futex::{self, Deadline};
use crate::host::kernel::{Errno, syscall};
use crate::host::thread::{self, SignalSet};
use crate::libaio::context::ContextRef;

/// Takes events as [`io_getevents::get_events`] does, with `mask` in place of the thread's signal mask.
///
/// # Errors
/// As there.
pub fn get_events(
    context: &mut ContextRef,
    wanted: Wanted,
    timeout: Timeout,
    mask: SignalSet,
) -> Result<Waited, Errno> {
    // Outside the sleep all signals are blocked, so that those which `mask` blocks stay blocked all the time.
    let before = thread::block_all_signals();
    let mut sleeper = Masked { mask, ring: None, is_denied: false };
    let got = io_getevents::get_events(context, wanted, timeout, &mut sleeper);
    drop(sleeper);
    // Signals that the mask allows and that are still pending are handled now, also when there are events.
    let interrupted = thread::pending_signals() & !mask != 0;
    if interrupted {
        thread::restore_signals(mask);
    }
    thread::restore_signals(before);
    match got {
        Ok(Waited::Done(0) | Waited::InKernel(0)) if interrupted => Err(Errno(libc::EINTR)),
        Ok(Waited::InKernel(got)) if interrupted => Ok(Waited::Done(got)),
        got => got,
    }
}

struct Masked {
    mask: SignalSet,
    ring: Option<Ring>,
    /// A ring would not wait: a restriction that the process has inherited denies the operation.
    is_denied: bool,
}

impl Sleep for Masked {
    fn sleep(&mut self, word: &AtomicU32, seen: u32, deadline: Deadline) -> Result<(), Errno> {
        if deadline.is_over() {
            // The kernel looks for signals first.
            let is_interrupted = thread::pending_signals() & !self.mask != 0;
            return Err(Errno(if is_interrupted { libc::EINTR } else { libc::ETIMEDOUT }));
        }
        if self.ring.is_none() && !self.is_denied {
            self.ring = Ring::new().ok();
        }
        let Some(ring) = &mut self.ring else { return sleep_1ms(deadline, self.mask) };
        match ring.wait(word, seen, deadline, self.mask) {
            Err(Errno(libc::EACCES)) => {
                (self.ring, self.is_denied) = (None, true);
                Ok(())
            }
            waited => waited,
        }
    }
}

const MS_IN_NS: u64 = 1_000_000;

/// Without a ring: sleeps for a millisecond at most, and the caller looks again.
fn sleep_1ms(deadline: Deadline, mask: SignalSet) -> Result<(), Errno> {
    let left_ns = deadline.left().unwrap_or(MS_IN_NS).min(MS_IN_NS);
    let time = libc::timespec { tv_sec: 0, tv_nsec: left_ns as _ };
    // SAFETY: no descriptors; reads the time and the set.
    unsafe { syscall!(libc::SYS_ppoll, 0, 0, &raw const time, &raw const mask, size_of::<SignalSet>()) }.map(drop)
}

const RING_ENTRIES: u32 = 2;

/// A ring for one call.
struct Ring {
    raw: RawRing,
    /// The kernel waits on the word.
    is_armed: bool,
}

impl Ring {
    fn new() -> Result<Self, Errno> {
        Ok(Self { raw: RawRing::new(RING_ENTRIES)?, is_armed: false })
    }

    /// Sleeps until woken on `word`, at the deadline, or by a signal that `mask` lets in.
    fn wait(&mut self, word: &AtomicU32, seen: u32, deadline: Deadline, mask: SignalSet) -> Result<(), Errno> {
        // An earlier wait that goes on is on the same word; it ends when the word has changed.
        if !self.is_armed {
            let wait = opcode::FutexWait::new(word.as_ptr(), seen.into(), u32::MAX.into(), futex::PRIVATE_U32);
            // SAFETY: the ring is this thread's, and nothing is queued; the word outlives the ring.
            if !unsafe { self.raw.push(&wait.build()) } {
                return Err(Errno(libc::EAGAIN));
            }
            self.raw.submit(1)?;
            self.is_armed = true;
        }
        let waited = self.raw.wait(deadline, &mask);
        let Some(completion) = self.raw.pop() else { return waited };
        self.is_armed = false;
        if completion.result == -libc::EACCES { Err(Errno(libc::EACCES)) } else { Ok(()) }
    }
}
