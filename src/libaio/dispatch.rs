//! What each call does, whichever way it comes in: by a function of libaio's or as a raw system call. Contexts that are not
//! ours go on to the kernel.

use super::wait::{Plainly, Timeout, Waited};
use super::{cancel, destroy, kernel_aio, pgetevents, registry, submit, user_access, wait};
use crate::host::kernel::{self, Errno};
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
    match registry::find(context) {
        Some(used) => destroy::destroy(used),
        None => kernel_aio::destroy(context),
    }
}

/// `io_submit`
///
/// # Errors
/// As [`submit::submit`], or the kernel's.
#[inline]
pub fn io_submit(context: usize, nr: isize, list: usize) -> Answer {
    match registry::find(context) {
        Some(used) => submit::submit(used, nr, list),
        None => kernel_aio::submit(context, nr, list),
    }
}

/// `io_cancel`
///
/// # Errors
/// As [`cancel::cancel`], or the kernel's.
pub fn io_cancel(context: usize, iocb: usize, event: usize) -> Answer {
    match registry::find(context) {
        Some(used) if !used.carriage.is_kernels() => cancel::cancel(&used, iocb),
        _ => kernel_aio::cancel(context, iocb, event),
    }
}

/// `io_getevents`
///
/// # Errors
/// As [`wait::get_events`], or the kernel's.
#[inline]
pub fn io_getevents(caller: Caller, context: usize, min: isize, most: isize, events: usize, timeout: usize) -> Answer {
    let in_kernel = |timeout: usize| {
        if caller == Caller::Function && Timeout::read(timeout) == Ok(Timeout::Now) && kernel_aio::looks_empty(context)
        {
            return Ok(0);
        }
        kernel_aio::get_events(context, min, most, events, timeout)
    };
    let Some(mut used) = registry::find(context).filter(|used| !used.carriage.is_kernels()) else {
        return in_kernel(timeout);
    };
    let time = Timeout::read(timeout)?;
    if caller == Caller::Function && time == Timeout::Now && used.is_empty() && !used.has_backlog() {
        return Ok(0);
    }
    let began = kernel::now();
    match wait::get_events(&mut used, min, most, events, time, &mut Plainly)? {
        Waited::Done(got) => Ok(got),
        Waited::InKernel => {
            drop(used);
            let left = time.after(began).to_timespec();
            kernel_aio::get_events(
                context,
                min,
                most,
                events,
                left.as_ref().map_or(0, |left| (&raw const *left).addr()),
            )
        }
    }
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
/// As [`pgetevents::get_events`], or the kernel's.
pub fn io_pgetevents(
    caller: Caller,
    context: usize,
    min: isize,
    most: isize,
    events: usize,
    timeout: usize,
    argument: usize,
) -> Answer {
    let Some(mut used) = registry::find(context).filter(|used| !used.carriage.is_kernels()) else {
        if caller == Caller::Function && Timeout::read(timeout) == Ok(Timeout::Now) && kernel_aio::looks_empty(context)
        {
            return Ok(0);
        }
        return kernel_aio::get_events_masked(context, min, most, events, timeout, argument);
    };
    let time = Timeout::read(timeout)?;
    if caller == Caller::Function && time == Timeout::Now && used.is_empty() && !used.has_backlog() {
        return Ok(0);
    }
    let began = kernel::now();
    let waited = match read_mask(argument)? {
        Some(mask) => pgetevents::get_events(&mut used, min, most, events, time, mask),
        None => wait::get_events(&mut used, min, most, events, time, &mut Plainly),
    };
    match waited? {
        Waited::Done(got) => Ok(got),
        Waited::InKernel => {
            drop(used);
            let left = time.after(began).to_timespec();
            let left = left.as_ref().map_or(0, |left| (&raw const *left).addr());
            kernel_aio::get_events_masked(context, min, most, events, left, argument)
        }
    }
}

fn read_mask(argument: usize) -> Result<Option<SignalSet>, Errno> {
    if argument == 0 {
        return Ok(None);
    }
    user_access::readable(argument, size_of::<MaskArgument>())?;
    // SAFETY: seen to be readable; here and below.
    let MaskArgument { mask, size } = unsafe { (argument as *const MaskArgument).read_unaligned() };
    if mask == 0 {
        return Ok(None);
    }
    if size != size_of::<SignalSet>() {
        return Err(Errno(libc::EINVAL));
    }
    user_access::readable(mask, size)?;
    // SAFETY: as above.
    Ok(Some(unsafe { (mask as *const SignalSet).read_unaligned() }))
}
