//! `uringaio_deadline`: gives an outstanding request a deadline.

use super::deadline_timer::Deadlines;
use super::submit;
use crate::engine::{Engines, Matcher, Operation};
use crate::host::futex::Deadline;
use crate::host::kernel::Errno;

/// Sets the deadline of the request with the aiocb at `address`, in place of one that it has; or removes it. Nothing, where no
/// such request is outstanding. The aiocb is not looked at in this thread.
///
/// # Errors
/// `EAGAIN`: memory or threads are out.
pub fn set(engines: Engines, address: usize, deadline: Option<Deadline>) -> Result<(), Errno> {
    let deadlines = Deadlines::get_or_make(is_due)?;
    let at = match deadline {
        Some(Deadline::At(at)) => {
            deadlines.start()?;
            at.max(1)
        }
        Some(Deadline::Never) | None => 0,
    };
    engines.visit(Matcher { test: set_if_meant, arguments: [address, at as usize, deadlines.number() as usize] });
    Ok(())
}

/// Sets the deadline where the operation is meant. Asked of every outstanding one, by the thread that will finish it.
fn set_if_meant(operation: &Operation, &[address, at, number]: &[usize; 3]) -> bool {
    let Some(aiocb) = submit::aiocb_of(operation).filter(|aiocb| aiocb.address() == address) else { return false };
    if let Some(deadlines) = Deadlines::get() {
        deadlines.replace(aiocb, (at as u64, number as u64));
    }
    true
}

/// Whether this deadline is the operation's.
fn is_due(operation: &Operation, &[address, number, _]: &[usize; 3]) -> bool {
    submit::aiocb_of(operation).is_some_and(|aiocb| aiocb.address() == address && aiocb.deadline().1 == number as u64)
}
