//! `io_queue_*`: functions of an older interface, which libaio still has.

use core::ffi::{c_int, c_long};

use super::got_replacements;
use crate::c_boundary::value_or_negated_errno;
use crate::host::user_access;
use crate::libaio::calls::dispatch::{self, Caller, GetEvents};
use crate::libaio::calls::io_setup;
use crate::libaio::ring::layout::Event;
use crate::symbol_versions::default_version;

/// `io_queue_init(3)`: `io_setup` that does not look at `*ctxp`.
///
/// Returns as `io_setup` does; `-EINVAL` for a size that is not positive.
extern "C" fn io_queue_init(maxevents: c_int, ctxp: *mut usize) -> c_int {
    if maxevents <= 0 {
        return -libc::EINVAL;
    }
    if let Err(errno) = user_access::writable(ctxp as usize, size_of::<usize>()) {
        return value_or_negated_errno(Err(errno));
    }
    // SAFETY: seen to be writable.
    unsafe { ctxp.write_unaligned(0) };
    value_or_negated_errno(io_setup::set_up(maxevents as u32, ctxp as usize, got_replacements::install))
}
default_version!("io_queue_init", "LIBAIO_0.1", io_queue_init);

/// `io_queue_release(3)`: `io_destroy`.
extern "C" fn io_queue_release(context: usize) -> c_int {
    value_or_negated_errno(dispatch::io_destroy(context))
}
default_version!("io_queue_release", "LIBAIO_0.1", io_queue_release);

/// What `data` of an iocb points to, for [`io_queue_run`].
type Callback = unsafe extern "C" fn(context: usize, iocb: u64, result: c_long, result2: c_long);

/// `io_queue_run(3)`: takes every event in the ring, and calls the function that `data` of its iocb names.
///
/// Returns 0, or what `io_getevents` returns.
extern "C" fn io_queue_run(context: usize) -> c_int {
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    loop {
        let mut event = Event::default();
        let (events, timeout) = (&raw mut event as usize, &raw const now as usize);
        let call = GetEvents { context, min: 0, most: 1, events, timeout };
        match dispatch::io_getevents(Caller::Function, call) {
            Ok(1) => {}
            answer => return value_or_negated_errno(answer),
        }
        if event.data != 0 {
            // SAFETY: a program that calls this function has set the callback of each iocb (io_set_callback(3)).
            let callback = unsafe { core::mem::transmute::<usize, Callback>(event.data as usize) };
            // SAFETY: as above.
            unsafe { callback(context, event.object, event.result as c_long, event.result2 as c_long) };
        }
    }
}
default_version!("io_queue_run", "LIBAIO_0.1", io_queue_run);

/// `io_queue_wait(3)`: asks for no events, so it only tells whether the context exists.
pub(super) extern "C" fn io_queue_wait(context: usize, timeout: usize) -> c_int {
    let call = GetEvents { context, min: 0, most: 0, events: 0, timeout };
    value_or_negated_errno(dispatch::io_getevents(Caller::Function, call))
}
default_version!("io_queue_wait", "LIBAIO_0.4", io_queue_wait);
