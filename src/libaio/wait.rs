//! `io_getevents`: takes events out of the ring, and sleeps until there are enough.

use super::context::Used;
use super::event_ring::Event;
use super::{handover, memory};
use crate::engine::private::Ring;
use crate::host::futex::{self, Deadline};
use crate::host::kernel::{self, Errno};

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

/// How long a call may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// For ever.
    Never,
    /// Not at all.
    Now,
    /// So many nanoseconds.
    After(u64),
}

impl Timeout {
    /// The timespec at `address`; none there: for ever. As the kernel does, it is added up unchecked, and a negative time
    /// is for ever too (fs/aio.c, measured on Linux 6.18).
    ///
    /// # Errors
    /// `EFAULT`
    #[inline]
    pub fn read(address: usize) -> Result<Self, Errno> {
        if address == 0 {
            return Ok(Self::Never);
        }
        memory::readable(address, size_of::<libc::timespec>())?;
        // SAFETY: seen to be readable.
        let time = unsafe { (address as *const libc::timespec).read_unaligned() };
        let nanoseconds = i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec);
        Ok(match u64::try_from(nanoseconds) {
            Ok(0) => Self::Now,
            Ok(nanoseconds) => Self::After(nanoseconds),
            Err(_) => Self::Never,
        })
    }

    fn deadline(self) -> Deadline {
        match self {
            Self::Never => Deadline::Never,
            Self::Now => Deadline::At(0),
            Self::After(nanoseconds) => kernel::now().checked_add(nanoseconds).map_or(Deadline::Never, Deadline::At),
        }
    }
}

/// Sleeps on a word while it is what was seen, until a deadline: `EINTR`, `ETIMEDOUT`, or it is worth another look.
pub trait Sleep {
    /// Whether it is with the thread's signals as they are, so that the thread may sleep in its own ring as well.
    const PLAIN: bool;

    /// Sleeps.
    ///
    /// # Errors
    /// `EINTR`: a signal handler ran. `ETIMEDOUT`: it is past the deadline.
    fn sleep(&mut self, word: &AtomicU32, seen: u32, deadline: Deadline) -> Result<(), Errno>;
}

/// Sleeps with the thread's signals as they are.
pub struct Plainly;

impl Sleep for Plainly {
    const PLAIN: bool = true;

    fn sleep(&mut self, word: &AtomicU32, seen: u32, deadline: Deadline) -> Result<(), Errno> {
        futex::wait(word, seen, deadline)
    }
}

/// Takes at least `min` and at most `most` events, fewer if the time is over or a signal came.
///
/// # Errors
/// `EINVAL`: the counts make no sense, or the context is destroyed meanwhile. `EFAULT`: `events` cannot be written.
/// `EINTR`: no event, and a signal handler ran.
#[inline]
pub fn get_events(
    used: &Used,
    min: isize,
    most: isize,
    events: usize,
    timeout: Timeout,
    sleep: &mut impl Sleep,
) -> Result<usize, Errno> {
    let (Ok(min), Ok(most)) = (usize::try_from(min), usize::try_from(most)) else { return Err(Errno(libc::EINVAL)) };
    if min > most {
        return Err(Errno(libc::EINVAL));
    }
    let mine = look_into_rings(used);
    let (reaps, interrupted) = if mine { (false, false) } else { used.begin_reap() };
    let got = used.take(events, most)?;
    let got = if got >= min || timeout == Timeout::Now || (interrupted && got > 0) {
        got
    } else if interrupted {
        return Err(Errno(libc::EINTR));
    } else {
        match await_events(used, min, most, events, got, timeout.deadline(), sleep)? {
            Waited::Here(got) => got,
            Waited::Gone(got) => return Ok(got),
        }
    };
    if mine {
        used.end_reap(got);
    } else if reaps {
        used.end_reap_for_others(got);
    }
    Ok(got)
}

/// Lets arrive what has completed in private rings. Whether the context is the calling thread's own.
#[inline]
pub fn look_into_rings(used: &Used) -> bool {
    let mine = used.begin_call();
    if used.habit.0.private() > 0 {
        match used.ring_under_way() {
            Some(ring) => {
                ring.poll();
            }
            None if mine => {}
            None => used.fetch(),
        }
    }
    mine
}

/// How many events there are after a wait.
enum Waited {
    /// In the context.
    Here(usize),
    /// And the context was destroyed meanwhile: it is not to be touched.
    Gone(usize),
}

#[cold]
fn await_events<S: Sleep>(
    used: &Used,
    min: usize,
    most: usize,
    events: usize,
    mut got: usize,
    deadline: Deadline,
    sleep: &mut S,
) -> Result<Waited, Errno> {
    let mut ending = None;
    let mut lends = S::PLAIN;
    loop {
        let seen = used.word().load(Ordering::Acquire);
        // What had come until here is taken now, by us or by others.
        let completed = used.completed();
        match used.take(events + got * size_of::<Event>(), most - got) {
            Ok(more) => got += more,
            Err(errno) if got == 0 => return Err(errno),
            Err(_) => return Ok(Waited::Here(got)),
        }
        if got >= min {
            return Ok(Waited::Here(got));
        }
        if used.is_dead() {
            ending = Some(Errno(libc::EINVAL));
        }
        if let Some(errno) = ending {
            return match errno {
                _ if got > 0 => Ok(Waited::Here(got)),
                Errno(libc::ETIMEDOUT) => Ok(Waited::Here(0)),
                errno => Err(errno),
            };
        }
        let wanted = (completed, min - got);
        let wake_at = completed + (min - got) as u64;
        let slept = used.away(|| {
            if let Some(ring) = lends.then(|| used.ring_to_lend()).flatten() {
                return handover::lend(used, ring, wake_at, seen, deadline).map(|came| lends = came);
            }
            match used.ring_under_way() {
                Some(ring) => sleep_in_ring(used, ring, wanted, seen, deadline),
                None if !used.sleep_until(wake_at) => Ok(()),
                None => sleep.sleep(used.word(), seen, deadline),
            }
        });
        let slept = match slept {
            Err(_) if got > 0 => return Ok(Waited::Gone(got)),
            slept => slept?,
        };
        if let Err(errno @ Errno(libc::EINTR | libc::ETIMEDOUT)) = slept {
            ending = Some(errno);
        }
    }
}

/// Sleeps in the calling thread's own ring until `wanted` events have come since there were `completed`, or the word changes.
///
/// # Errors
/// `EINTR`, `ETIMEDOUT`.
fn sleep_in_ring(
    used: &Used,
    ring: &'static Ring,
    (completed, wanted): (u64, usize),
    seen: u32,
    deadline: Deadline,
) -> Result<(), Errno> {
    let context = used.context();
    let private = context.habit.0.private();
    let others = ring.has_strays() || context.in_flight() > u64::from(private);
    // What completes elsewhere wakes by the word, and so does another thread that begins to use the context.
    if others && !context.sleep_until(completed + wanted as u64) {
        return Ok(());
    }
    let watched = ring.watch_word(context.word(), seen);
    let want = if others { 1 } else { private.min(u32::try_from(wanted).unwrap_or(u32::MAX)) };
    let soon = Deadline::after(Duration::from_millis(1));
    let slept = match deadline {
        _ if watched => ring.wait(want, deadline, None),
        Deadline::At(at) if Deadline::At(at).left() < soon.left() => ring.wait(want, deadline, None),
        _ => ring.wait(want, soon, None).or_else(|errno| if errno == Errno(libc::EINTR) { Err(errno) } else { Ok(()) }),
    };
    ring.gather();
    slept
}
