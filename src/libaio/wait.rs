//! `io_getevents`: takes events out of the ring, and sleeps until there are enough.

use super::context::Used;
use super::event_ring::Event;
use super::user_access;
use crate::engine::{self, Engine};
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
        user_access::readable(address, size_of::<libc::timespec>())?;
        // SAFETY: seen to be readable.
        let time = unsafe { (address as *const libc::timespec).read_unaligned() };
        let nanoseconds = i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec);
        Ok(match u64::try_from(nanoseconds) {
            Ok(0) => Self::Now,
            Ok(nanoseconds) => Self::After(nanoseconds),
            Err(_) => Self::Never,
        })
    }

    /// What is left of it now, if it began to run at `began`.
    #[must_use]
    pub fn after(self, began: u64) -> Self {
        match self {
            Self::After(nanoseconds) => match nanoseconds.saturating_sub(kernel::now().saturating_sub(began)) {
                0 => Self::Now,
                left => Self::After(left),
            },
            timeout => timeout,
        }
    }

    /// As a system call wants it; none: for ever.
    #[must_use]
    pub fn to_timespec(self) -> Option<libc::timespec> {
        let nanoseconds = match self {
            Self::Never => return None,
            Self::Now => 0,
            Self::After(nanoseconds) => nanoseconds,
        };
        Some(libc::timespec { tv_sec: (nanoseconds / 1_000_000_000) as _, tv_nsec: (nanoseconds % 1_000_000_000) as _ })
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
    /// Sleeps.
    ///
    /// # Errors
    /// `EINTR`: a signal handler ran. `ETIMEDOUT`: it is past the deadline.
    fn sleep(&mut self, word: &AtomicU32, seen: u32, deadline: Deadline) -> Result<(), Errno>;
}

/// Sleeps with the thread's signals as they are.
pub struct Plainly;

impl Sleep for Plainly {
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
    used: &mut Used,
    min: isize,
    most: isize,
    events: usize,
    timeout: Timeout,
    sleep: &mut impl Sleep,
) -> Result<Waited, Errno> {
    let (Ok(min), Ok(most)) = (usize::try_from(min), usize::try_from(most)) else { return Err(Errno(libc::EINVAL)) };
    if min > most {
        return Err(Errno(libc::EINVAL));
    }
    let got = used.take(events, most)?;
    if got >= min || timeout == Timeout::Now {
        return Ok(Waited::Done(got));
    }
    await_events(used, min, most, events, got, timeout.deadline(), sleep)
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// With so many events.
    Done(usize),
    /// The kernel carries the context from here on; there were no events until then.
    InKernel,
}

/// A wait looks again this often whether a submitter was kept from waking an engine.
const MISSED_WAKE_LOOK: Duration = Duration::from_millis(500);

#[cold]
fn await_events<S: Sleep>(
    used: &mut Used,
    min: usize,
    most: usize,
    events: usize,
    mut got: usize,
    deadline: Deadline,
    sleep: &mut S,
) -> Result<Waited, Errno> {
    let mut ending = None;
    loop {
        let seen = used.word().load(Ordering::Acquire);
        // What had come until here is taken now, by us or by others.
        let completed = used.completed();
        match used.take(events + got * size_of::<Event>(), most - got) {
            Ok(more) => got += more,
            Err(errno) if got == 0 => return Err(errno),
            Err(_) => return Ok(Waited::Done(got)),
        }
        if got >= min {
            return Ok(Waited::Done(got));
        }
        if got == 0 && used.carriage.is_kernels() {
            return Ok(Waited::InKernel);
        }
        if used.is_dead() {
            ending = Some(Errno(libc::EINVAL));
        }
        if let Some(errno) = ending {
            return match errno {
                _ if got > 0 => Ok(Waited::Done(got)),
                Errno(libc::ETIMEDOUT) => Ok(Waited::Done(0)),
                errno => Err(errno),
            };
        }
        let wake_at = completed + (min - got) as u64;
        let context = used.context();
        let slept = used.away(|| {
            if !context.sleep_until(wake_at) {
                return Ok(());
            }
            engine::running().for_each(Engine::notify_if_missed);
            let look = Deadline::after(MISSED_WAKE_LOOK);
            match sleep.sleep(context.word(), seen, deadline.sooner(look)) {
                Err(Errno(libc::ETIMEDOUT)) if !deadline.is_over() => Ok(()),
                slept => slept,
            }
        });
        let slept = match slept {
            Err(_) if got > 0 => return Ok(Waited::Done(got)),
            slept => slept?,
        };
        if let Err(errno @ Errno(libc::EINTR | libc::ETIMEDOUT)) = slept {
            ending = Some(errno);
        }
    }
}
