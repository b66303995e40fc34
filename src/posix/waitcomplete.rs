//! `aio_waitcomplete`: waiting for the next request of the process that ends.

use core::sync::atomic::{Ordering, fence};

use super::completed::{self, ARRIVALS, Completion};
use super::{cancellation, submit};
use crate::engine::{self, Engine, Matcher, Operation};
use crate::host::futex::Deadline;
use crate::host::kernel::Errno;

/// The next request that has ended and whose result was not asked for. A cancellation point.
///
/// # Errors
/// `EAGAIN`: the deadline came first. `EINTR`: a signal handler ran; without a deadline, one without `SA_RESTART`.
pub fn next(deadline: Option<Deadline>) -> Result<Completion, Errno> {
    if completed::note_from_now_on() {
        note_outstanding();
    }
    loop {
        if let Some(completion) = completed::next() {
            return Ok(completion);
        }
        if deadline.is_some_and(Deadline::is_over) {
            return Err(Errno(libc::EAGAIN));
        }
        // AcqRel: a change by an arrival comes after this value.
        let expected = ARRIVALS.fetch_or(1, Ordering::AcqRel) | 1;
        // SeqCst pairs with the fence in `completed::finish`.
        fence(Ordering::SeqCst);
        if let Some(completion) = completed::next() {
            return Ok(completion);
        }
        engine::running().for_each(Engine::notify_if_missed);
        if let Err(errno @ Errno(libc::EINTR)) = cancellation::sleep(&ARRIVALS, expected, deadline) {
            return Err(errno);
        }
    }
}

/// The requests that are outstanding at the first call are noted as well.
#[cold]
fn note_outstanding() {
    /// Asked of every outstanding operation, by the thread that will finish it.
    fn expect(operation: &Operation, _: &[usize; 3]) -> bool {
        if let Some(aiocb) = submit::aiocb_of(operation)
            && !completed::is_expected(aiocb)
        {
            // Without memory its end is not noted.
            let _ = completed::expect(aiocb);
        }
        false
    }
    if let Some(engines) = engine::started() {
        engines.visit(Matcher { test: expect, arguments: [0; 3] });
    }
}
