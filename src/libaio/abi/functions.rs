//! The functions of libaio 0.3.113 as programs call them, each under its default symbol version. They return what the
//! system calls do, errors as `-errno`, and leave `errno` alone.
//!
//! All are thread-safe. `io_submit`, `io_getevents`, `io_pgetevents` and `io_cancel` may be called from a signal handler.

use core::ffi::{c_int, c_long};

use super::got_replacements;
use crate::c_boundary::value_or_negated_errno;
use crate::host::thread::SignalSet;
use crate::libaio::calls::dispatch::{self, Caller, GetEvents, MaskArgument};
use crate::libaio::calls::io_setup;
use crate::symbol_versions::default_version;

/// `io_setup(3)`: makes a context with room for at least `maxevents` requests, and stores it at `*ctxp`, which must be 0.
///
/// Returns 0; `-EINVAL`, `-EFAULT`, `-EAGAIN` (past `URINGAIO_MAX_EVENTS`), `-ENOMEM`.
extern "C" fn io_setup(maxevents: c_int, ctxp: usize) -> c_int {
    value_or_negated_errno(io_setup::set_up(maxevents as u32, ctxp, got_replacements::install))
}
default_version!("io_setup", "LIBAIO_0.4", io_setup);

/// `io_destroy(3)`: waits for the requests in flight, and ends the context.
///
/// Returns 0; `-EINVAL`: there is no such context.
extern "C" fn io_destroy(context: usize) -> c_int {
    value_or_negated_errno(dispatch::io_destroy(context))
}
default_version!("io_destroy", "LIBAIO_0.4", io_destroy);

/// `io_submit(3)`: submits the iocbs that `list` points to, in order, and stops at the first that is refused.
///
/// Returns how many were taken; if none was, why: `-EINVAL`, `-EFAULT`, `-EBADF`, `-EAGAIN` (no room), `-EOPNOTSUPP`, `-EPERM`.
extern "C" fn io_submit(context: usize, nr: c_long, list: usize) -> c_int {
    value_or_negated_errno(dispatch::io_submit(context, nr as isize, list))
}
default_version!("io_submit", "LIBAIO_0.1", io_submit);

/// `io_cancel(3)`: tries to stop the request made with this iocb. `event` is not written: the event comes through the ring.
///
/// Returns `-EINPROGRESS`: it is stopped; `-EINVAL`: it cannot be, or is not in flight; `-EFAULT`.
extern "C" fn io_cancel(context: usize, iocb: usize, event: usize) -> c_int {
    value_or_negated_errno(dispatch::io_cancel(context, iocb, event))
}
default_version!("io_cancel", "LIBAIO_0.4", io_cancel);

/// `io_getevents(3)`: takes at least `min_nr` and at most `nr` events, and waits for them as long as `timeout` says.
///
/// Returns how many; `-EINVAL`, `-EFAULT`, `-EINTR`.
extern "C" fn io_getevents(context: usize, min_nr: c_long, nr: c_long, events: usize, timeout: usize) -> c_int {
    let call = GetEvents { context, min: min_nr as isize, most: nr as isize, events, timeout };
    value_or_negated_errno(dispatch::io_getevents(Caller::Function, call))
}
default_version!("io_getevents", "LIBAIO_0.4", io_getevents);

/// `io_pgetevents(3)`: `io_getevents` with `mask` in place of the thread's signal mask, if it is not `NULL`.
///
/// Returns as `io_getevents` does.
extern "C" fn io_pgetevents(
    context: usize,
    min_nr: c_long,
    nr: c_long,
    events: usize,
    timeout: usize,
    mask: usize,
) -> c_int {
    let argument = MaskArgument { mask, size: size_of::<SignalSet>() };
    let argument = core::ptr::from_ref(&argument) as usize;
    let call = GetEvents { context, min: min_nr as isize, most: nr as isize, events, timeout };
    value_or_negated_errno(dispatch::io_pgetevents(Caller::Function, call, argument))
}
default_version!("io_pgetevents", "LIBAIO_0.5", io_pgetevents);
