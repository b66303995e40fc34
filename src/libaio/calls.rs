//! What each call does, whichever way it comes in: by a function of libaio's or as a raw system call. Contexts that are not
//! ours go on to the kernel.

use super::wait::{Plainly, Timeout};
use super::{cancel, contexts, destroy, masked, memory, submit, system, wait};
use crate::host::kernel::Errno;
use crate::host::thread::SignalSet;

type Answer = Result<usize, Errno>;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A function of libaio's, which answers 0 by itself when it must not wait and the ring is empty.
    Function,
    /// A system call.
    Raw,
}

/// `io_destroy`
///
/// # Errors
/// As [`destroy::destroy`], or the kernel's.
pub fn io_destroy(context: usize) -> Answer {
    match contexts::find(context) {
        Some(used) => destroy::destroy(used),
        None => system::destroy(context),
    }
}

/// `io_submit`
///
/// # Errors
/// As [`submit::submit`], or the kernel's.
#[inline]
pub fn io_submit(context: usize, nr: isize, list: usize) -> Answer {
    match contexts::find(context) {
        Some(used) => submit::submit(&used, nr, list),
        None => system::submit(context, nr, list),
    }
}

/// `io_cancel`
///
/// # Errors
/// As [`cancel::cancel`], or the kernel's.
pub fn io_cancel(context: usize, iocb: usize, event: usize) -> Answer {
    match contexts::find(context) {
        Some(used) => cancel::cancel(&used, iocb),
        None => system::cancel(context, iocb, event),
    }
}

/// `io_getevents`
///
/// # Errors
/// As [`wait::get_events`], or the kernel's.
#[inline]
pub fn io_getevents(caller: Caller, context: usize, min: isize, most: isize, events: usize, timeout: usize) -> Answer {
    let Some(used) = contexts::find(context) else {
        if caller == Caller::Function && Timeout::read(timeout) == Ok(Timeout::Now) && system::looks_empty(context) {
            return Ok(0);
        }
        return system::get_events(context, min, most, events, timeout);
    };
    let timeout = Timeout::read(timeout)?;
    if caller == Caller::Function && timeout == Timeout::Now && used.is_empty() && used.habit.0.private() == 0 {
        return Ok(0);
    }
    wait::get_events(&used, min, most, events, timeout, &mut Plainly)
}

/// What is behind the last argument of the system call `io_pgetevents`.
#[repr(C)]
pub struct MaskArgument {
    /// The set's address, or 0.
    pub mask: usize,
    /// Its size.
    pub size: usize,
}

/// `io_pgetevents`, with the system call's last argument.
///
/// # Errors
/// As [`masked::get_events`], or the kernel's.
pub fn io_pgetevents(
    caller: Caller,
    context: usize,
    min: isize,
    most: isize,
    events: usize,
    timeout: usize,
    argument: usize,
) -> Answer {
    let Some(used) = contexts::find(context) else {
        if caller == Caller::Function && Timeout::read(timeout) == Ok(Timeout::Now) && system::looks_empty(context) {
            return Ok(0);
        }
        return system::get_events_masked(context, min, most, events, timeout, argument);
    };
    let timeout = Timeout::read(timeout)?;
    if caller == Caller::Function && timeout == Timeout::Now && used.is_empty() {
        return Ok(0);
    }
    match read_mask(argument)? {
        Some(mask) => masked::get_events(&used, min, most, events, timeout, mask),
        None => wait::get_events(&used, min, most, events, timeout, &mut Plainly),
    }
}

fn read_mask(argument: usize) -> Result<Option<SignalSet>, Errno> {
    if argument == 0 {
        return Ok(None);
    }
    memory::readable(argument, size_of::<MaskArgument>())?;
    // SAFETY: seen to be readable; here and below.
    let MaskArgument { mask, size } = unsafe { (argument as *const MaskArgument).read_unaligned() };
    if mask == 0 {
        return Ok(None);
    }
    if size != size_of::<SignalSet>() {
        return Err(Errno(libc::EINVAL));
    }
    memory::readable(mask, size)?;
    // SAFETY: as above.
    Ok(Some(unsafe { (mask as *const SignalSet).read_unaligned() }))
}
