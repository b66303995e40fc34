//! Where every call goes, whether it came in by a function of libaio's or as a raw system call: to the library for its own
//! contexts, to the kernel for all others and for those that the kernel carries.

use super::io_getevents::{Plainly, Waited, Wanted};
use super::timeout::Timeout;
use super::{io_cancel, io_destroy, io_getevents, io_pgetevents};
use crate::host::kernel::{self, Errno};
use crate::host::seccomp;
use crate::host::thread::SignalSet;
use crate::host::user_access;
use crate::libaio::registry::{self, Found};
use crate::libaio::ring::layout::Event;
use crate::libaio::{kernel_aio, submit};

type Answer = Result<usize, Errno>;

/// How a call came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// By a function of libaio's, which answers 0 by itself when it must not wait and the ring is empty.
    Function,
    /// As a system call.
    Raw,
}

/// `io_destroy`
///
/// # Errors
/// As [`io_destroy::destroy`], or the kernel's.
pub fn io_destroy(address: usize) -> Answer {
    match registry::find(address) {
        Some(context) => io_destroy::destroy(context),
        None => kernel_aio::destroy(address),
    }
}

/// `io_submit`
///
/// # Errors
/// As [`submit::submit`], or the kernel's.
#[inline]
pub fn io_submit(address: usize, nr: isize, list: usize) -> Answer {
    match registry::owner(address) {
        Found::Ours(context) => submit::submit(context, nr, list),
        Found::Carried => kernel_aio::submit_carried(address, nr, list),
        Found::Unknown => kernel_aio::submit(address, nr, list),
    }
}

/// `io_cancel`
///
/// # Errors
/// As [`io_cancel::cancel`], or the kernel's.
pub fn io_cancel(address: usize, iocb: usize, event: usize) -> Answer {
    match registry::owner(address) {
        Found::Ours(context) => io_cancel::cancel(&context, iocb),
        Found::Carried | Found::Unknown => kernel_aio::cancel(address, iocb, event),
    }
}

/// The arguments of `io_getevents`.
#[derive(Clone, Copy, Debug)]
pub struct GetEvents {
    /// The context's address.
    pub context: usize,
    /// `min_nr`
    pub min: isize,
    /// `nr`
    pub most: isize,
    /// The address of the program's array.
    pub events: usize,
    /// The address of a timespec, or 0.
    pub timeout: usize,
}

/// `io_getevents`
///
/// # Errors
/// As [`io_getevents::get_events`], or the kernel's.
#[inline]
pub fn io_getevents(caller: Caller, call: GetEvents) -> Answer {
    get_events(
        caller,
        call,
        || Ok(None),
        |context, min, most, events, timeout| {
            // The function, as libaio has it, may make the other call; a program that makes the call itself means this one.
            if caller == Caller::Function && seccomp::lacks_getevents() {
                return kernel_aio::get_events_masked(context, min, most, events, timeout, 0);
            }
            kernel_aio::get_events(context, min, most, events, timeout)
        },
    )
}

/// What the last argument of the system call `io_pgetevents` points to.
#[repr(C)]
pub struct MaskArgument {
    /// The set's address, or 0.
    pub mask: usize,
    /// Its size.
    pub size: usize,
}

/// `io_pgetevents`; `argument` is the system call's last.
///
/// # Errors
/// As [`io_pgetevents::get_events`], or the kernel's.
pub fn io_pgetevents(caller: Caller, call: GetEvents, argument: usize) -> Answer {
    get_events(
        caller,
        call,
        || read_mask(argument),
        |context, min, most, events, timeout| {
            kernel_aio::get_events_masked(context, min, most, events, timeout, argument)
        },
    )
}

/// Both calls; `read_mask` gives the signal mask, if there is one, and `ask_kernel` makes the system call.
#[inline]
fn get_events(
    caller: Caller,
    call: GetEvents,
    read_mask: impl FnOnce() -> Result<Option<SignalSet>, Errno>,
    ask_kernel: impl Fn(usize, isize, isize, usize, usize) -> Answer,
) -> Answer {
    let GetEvents { context: address, min, most, events, timeout } = call;
    let Found::Ours(mut context) = registry::owner(address) else {
        let is_function = caller == Caller::Function;
        if is_function && Timeout::read(timeout) == Ok(Timeout::Now) && kernel_aio::looks_empty(address) {
            return Ok(0);
        }
        return ask_kernel(address, min, most, events, timeout);
    };
    let time = Timeout::read(timeout)?;
    if caller == Caller::Function && time == Timeout::Now && context.is_empty() && !context.has_backlog() {
        return Ok(0);
    }
    // Asked for where it matters.
    let began = if let Timeout::After(_) = time { kernel::now() } else { 0 };
    let mask = read_mask()?;
    let wanted = Wanted::new(min, most, events)?;
    let waited = match mask {
        Some(mask) => io_pgetevents::get_events(&mut context, wanted, time, mask),
        None => io_getevents::get_events(&mut context, wanted, time, &mut Plainly),
    };
    match waited? {
        Waited::Done(got) => Ok(got),
        Waited::InKernel(got) => {
            drop(context);
            let left = time.left(began).to_timespec();
            let left = left.as_ref().map_or(0, |left| (&raw const *left).addr());
            // The counts are positive, and `got` is less than `min`.
            let (min, most) = (min - got as isize, most - got as isize);
            match ask_kernel(address, min, most, events + got * size_of::<Event>(), left) {
                Ok(more) => Ok(got + more),
                Err(_) if got > 0 => Ok(got),
                Err(errno) => Err(errno),
            }
        }
    }
}

fn read_mask(argument: usize) -> Result<Option<SignalSet>, Errno> {
    if argument == 0 {
        return Ok(None);
    }
    user_access::readable(argument, size_of::<MaskArgument>())?;
    // SAFETY: seen to be readable.
    let MaskArgument { mask, size } = unsafe { (argument as *const MaskArgument).read_unaligned() };
    if mask == 0 {
        return Ok(None);
    }
    if size != size_of::<SignalSet>() {
        return Err(Errno(libc::EINVAL));
    }
    user_access::readable(mask, size)?;
    // SAFETY: seen to be readable.
    Ok(Some(unsafe { (mask as *const SignalSet).read_unaligned() }))
}
