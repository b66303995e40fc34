//! `io_getevents`: takes events out of the ring, and waits until there are enough. `EINTR`: no event was taken, and a signal
//! handler ran.

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use super::timeout::Timeout;
use crate::engine::{self, Engine};
use crate::host::futex::{self, Deadline};
use crate::host::kernel::Errno;
use crate::host::settings;
use crate::libaio::context::ContextRef;
use crate::libaio::ring::layout::Event;

/// How a thread sleeps on a word while it is what was seen, until a deadline.
pub trait Sleep {
    /// Sleeps.
    ///
    /// # Errors
    /// `EINTR`: a signal handler ran. `ETIMEDOUT`: the deadline has come. All other errors: the word is worth another look.
    fn sleep(&mut self, word: &AtomicU32, seen: u32, deadline: Deadline) -> Result<(), Errno>;
}

/// Sleeps with the thread's signal mask as it is. With `URINGAIO_RESTART=1` not for a handler with `SA_RESTART`.
pub struct Plainly;

impl Sleep for Plainly {
    fn sleep(&mut self, word: &AtomicU32, seen: u32, deadline: Deadline) -> Result<(), Errno> {
        if settings::get().restart {
            return futex::wait_restarting(word, seen, deadline);
        }
        futex::wait(word, seen, deadline)
    }
}

/// The events that a call asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    min: usize,
    most: usize,
    /// The address of the program's array.
    events: usize,
}

impl Wanted {
    /// At least `min` and at most `most` events, to the array at `events`.
    ///
    /// # Errors
    /// `EINVAL`: the counts make no sense.
    #[inline]
    pub fn new(min: isize, most: isize, events: usize) -> Result<Self, Errno> {
        match (usize::try_from(min), usize::try_from(most)) {
            (Ok(min), Ok(most)) if min <= most => Ok(Self { min, most, events }),
            _ => Err(Errno(libc::EINVAL)),
        }
    }

    /// Takes events, beside `got` that were taken before. How many there are now.
    fn take(&self, context: &ContextRef, got: usize) -> Result<usize, Errno> {
        context.take(self.events + got * size_of::<Event>(), self.most - got).map(|more| got + more)
    }
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// With so many events.
    Done(usize),
    /// With so many events until here, and the kernel carries the context from here on.
    InKernel(usize),
}

/// Takes the events that are wanted, or fewer if the time is over or a signal came.
///
/// # Errors
/// `EINVAL`: the context is destroyed meanwhile. `EFAULT`: the array cannot be written. `EINTR`: no event was taken, and a
/// signal handler ran.
#[inline]
pub fn get_events(
    context: &mut ContextRef,
    wanted: Wanted,
    timeout: Timeout,
    sleep: &mut impl Sleep,
) -> Result<Waited, Errno> {
    let got = wanted.take(context, 0)?;
    if got >= wanted.min || timeout == Timeout::Now {
        return Ok(Waited::Done(got));
    }
    await_events(context, wanted, got, timeout.deadline(), sleep)
}

/// How often a wait looks whether a submitter was kept from waking an engine.
const MISSED_WAKE_LOOK: Duration = Duration::from_millis(500);

#[cold]
fn await_events<S: Sleep>(
    context: &mut ContextRef,
    wanted: Wanted,
    mut got: usize,
    deadline: Deadline,
    sleep: &mut S,
) -> Result<Waited, Errno> {
    // Why the wait ends, once the events that have come by then are taken.
    let mut ending = None;
    loop {
        // Acquire pairs with the AcqRel in `Waiters::wake_all`.
        let seen = context.word().load(Ordering::Acquire);
        // All events that had come until here are taken now, by this thread or by others.
        let completed = context.completed();
        got = match wanted.take(context, got) {
            Ok(got) => got,
            Err(errno) if got == 0 => return Err(errno),
            Err(_) => return Ok(Waited::Done(got)),
        };
        if got >= wanted.min {
            return Ok(Waited::Done(got));
        }
        if context.carriage.is_kernels() && ending != Some(Errno(libc::EINTR)) {
            return Ok(Waited::InKernel(got));
        }
        if context.is_destroyed() {
            ending = Some(Errno(libc::EINVAL));
        }
        match ending {
            None => {}
            Some(_) if got > 0 => return Ok(Waited::Done(got)),
            Some(Errno(libc::ETIMEDOUT)) => return Ok(Waited::Done(0)),
            Some(errno) => return Err(errno),
        }
        let slept = sleep_away(context, completed + (wanted.min - got) as u64, seen, deadline, sleep);
        match slept {
            Err(_) if got > 0 => return Ok(Waited::Done(got)),
            Err(errno) => return Err(errno),
            Ok(Err(errno @ Errno(libc::EINTR | libc::ETIMEDOUT))) => ending = Some(errno),
            Ok(_) => {}
        }
    }
}

/// Sleeps until there have been `wake_at` events. How the sleep ended, or `EINVAL`: the context was destroyed.
fn sleep_away<S: Sleep>(
    context: &mut ContextRef,
    wake_at: u64,
    seen: u32,
    deadline: Deadline,
    sleep: &mut S,
) -> Result<Result<(), Errno>, Errno> {
    // While this call is noted: the ring that it looks at goes with the context, whose memory another may have by then.
    if !context.begin_wait(wake_at) {
        return Ok(Ok(()));
    }
    let waited_for = context.context();
    context.while_away(|| {
        engine::running().for_each(Engine::notify_if_missed);
        let look = Deadline::after(MISSED_WAKE_LOOK);
        match sleep.sleep(waited_for.word(), seen, deadline.sooner(look)) {
            Err(Errno(libc::ETIMEDOUT)) if !deadline.is_over() => Ok(()),
            slept => slept,
        }
    })
}
