//! `io_pgetevents`: a signal mask for the time of the wait, put in place and taken back in one with it.
//!
//! No futex call takes a mask. `io_uring_enter(2)` does: a ring of two entries, made for one sleep and by this thread alone,
//! waits on the context's futex word. It never has a descriptor (`IORING_SETUP_REGISTERED_FD_ONLY`), and disturbs no other
//! call of the thread (`DEFER_TASKRUN`). Only a call that has to sleep pays for it.

use core::sync::atomic::AtomicU32;

use io_uring::opcode;

use super::context::Used;
use super::wait::{self, Sleep, Timeout, Waited};
use crate::engine::raw_ring::{RawRing, RingPages};
use crate::host::futex::{self, Deadline};
use crate::host::kernel::{self, Errno, syscall};
use crate::host::thread::{self, SignalSet};

/// Takes events as [`wait::get_events`] does, with `mask` in place of the thread's signal mask.
///
/// # Errors
/// As there.
pub fn get_events(
    used: &mut Used,
    min: isize,
    most: isize,
    events: usize,
    timeout: Timeout,
    mask: SignalSet,
) -> Result<Waited, Errno> {
    // Outside of the sleep nothing gets through, so that what `mask` blocks stays out all the time.
    let before = thread::block_all_signals();
    let mut sleeper = Masked { mask, ring: None };
    let got = wait::get_events(used, min, most, events, timeout, &mut sleeper);
    drop(sleeper);
    // What the mask lets in and is still pending is handled now, also when there are events.
    let interrupted = thread::pending_signals() & !mask != 0;
    if interrupted {
        thread::restore_signals(&mask);
    }
    thread::restore_signals(&before);
    match got {
        Ok(Waited::Done(0)) if interrupted => Err(Errno(libc::EINTR)),
        got => got,
    }
}

struct Masked {
    mask: SignalSet,
    ring: Option<Ring>,
}

impl Sleep for Masked {
    fn sleep(&mut self, word: &AtomicU32, seen: u32, deadline: Deadline) -> Result<(), Errno> {
        let until = deadline.timespec();
        if deadline != Deadline::Never && kernel::now() >= at(&until) {
            // The kernel looks for signals first.
            return if thread::pending_signals() & !self.mask != 0 {
                Err(Errno(libc::EINTR))
            } else {
                Err(Errno(libc::ETIMEDOUT))
            };
        }
        if self.ring.is_none() {
            self.ring = Ring::new().ok();
        }
        match &mut self.ring {
            Some(ring) => ring.wait(word, seen, deadline, self.mask),
            None => sleep_1ms(&until, self.mask),
        }
    }
}

fn at(time: &libc::timespec) -> u64 {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Where no ring can be had: sleeps for a millisecond at a time, and the caller looks again.
fn sleep_1ms(until: &libc::timespec, mask: SignalSet) -> Result<(), Errno> {
    let left = at(until).saturating_sub(kernel::now()).min(1_000_000);
    let time = libc::timespec { tv_sec: 0, tv_nsec: left as _ };
    // SAFETY: no descriptors; reads the time and the set.
    unsafe { syscall!(libc::SYS_ppoll, 0, 0, &raw const time, &raw const mask, size_of::<SignalSet>()) }.map(drop)
}

const ENTRIES: u32 = 2;

/// A ring for one sleeper.
struct Ring {
    raw: RawRing,
    _room: RingPages,
    /// A wait is under way.
    armed: bool,
}

impl Ring {
    fn new() -> Result<Self, Errno> {
        let room = RingPages::new(ENTRIES, ENTRIES)?;
        let this = Self { raw: RawRing::new(&room)?, _room: room, armed: false };
        this.raw.enable()?;
        Ok(this)
    }

    /// Sleeps until woken on `word`, at the deadline, or by a signal that `mask` lets in.
    fn wait(&mut self, word: &AtomicU32, seen: u32, deadline: Deadline, mask: SignalSet) -> Result<(), Errno> {
        // An earlier wait that is still under way was for the same word; if the word has changed since, it has ended.
        if !self.armed {
            let wait = opcode::FutexWait::new(word.as_ptr(), seen.into(), u32::MAX.into(), futex::PRIVATE_U32);
            // SAFETY: the ring is this thread's, and nothing is queued; the word outlives the ring.
            if !unsafe { self.raw.push(&wait.build()) } {
                return Err(Errno(libc::EAGAIN));
            }
            self.raw.submit(1)?;
            self.armed = true;
        }
        let waited = self.raw.wait(1, deadline, Some(&mask));
        if self.raw.pop_completion().is_some() {
            self.armed = false;
            return Ok(());
        }
        waited
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the ring is this thread's.
        unsafe { self.raw.end() };
    }
}
