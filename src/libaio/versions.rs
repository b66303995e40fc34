//! What is left of older interfaces: `io_queue_*`, and the functions that programs linked against the first libaio are
//! bound to (`LIBAIO_0.1`), which have fewer arguments.

use core::ffi::{c_int, c_long};

use super::abi::returned;
use super::dispatch::{self, Caller};
use super::event_ring::Event;
use super::registry;
use crate::symbol_versions::{default_version, old_version};

/// `io_queue_init(3)`: `io_setup` that does not look at what is at `*ctxp`.
///
/// As `io_setup`; `-EINVAL` for a size that is not positive.
extern "C" fn io_queue_init(maxevents: c_int, ctxp: *mut usize) -> c_int {
    if maxevents <= 0 {
        return -libc::EINVAL;
    }
    if let Err(errno) = super::user_access::writable(ctxp as usize, size_of::<usize>()) {
        return returned(Err(errno));
    }
    // SAFETY: seen to be writable.
    unsafe { ctxp.write_unaligned(0) };
    returned(registry::set_up(maxevents as u32, ctxp as usize))
}
default_version!("io_queue_init", "LIBAIO_0.1", io_queue_init);

/// `io_queue_release(3)`: `io_destroy`.
extern "C" fn io_queue_release(context: usize) -> c_int {
    returned(dispatch::io_destroy(context))
}
default_version!("io_queue_release", "LIBAIO_0.1", io_queue_release);

/// What `data` of an iocb points to, for [`io_queue_run`].
type Callback = unsafe extern "C" fn(context: usize, iocb: u64, result: c_long, result2: c_long);

/// `io_queue_run(3)`: takes every event that is there, and calls the function that its iocb names in `data`.
///
/// 0, or what `io_getevents` says.
extern "C" fn io_queue_run(context: usize) -> c_int {
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    loop {
        let mut event = Event::default();
        let (events, timeout) = (&raw mut event as usize, &raw const now as usize);
        match dispatch::io_getevents(Caller::Function, context, 0, 1, events, timeout) {
            Ok(1) => {}
            answer => return returned(answer),
        }
        if event.data != 0 {
            // SAFETY: a program that calls this function has set the callback of each iocb (io_set_callback(3)).
            let callback = unsafe { core::mem::transmute::<usize, Callback>(event.data as usize) };
            // SAFETY: the same.
            unsafe { callback(context, event.object, event.result as c_long, event.result2 as c_long) };
        }
    }
}
default_version!("io_queue_run", "LIBAIO_0.1", io_queue_run);

/// `io_queue_wait(3)`: asks for no events, so it only says whether the context is one.
extern "C" fn io_queue_wait(context: usize, timeout: usize) -> c_int {
    returned(dispatch::io_getevents(Caller::Function, context, 0, 0, 0, timeout))
}
default_version!("io_queue_wait", "LIBAIO_0.4", io_queue_wait);

/// `io_queue_wait` of the first libaio: the same.
extern "C" fn io_queue_wait_0_1(context: usize, timeout: usize) -> c_int {
    io_queue_wait(context, timeout)
}
old_version!("io_queue_wait", "LIBAIO_0.1", io_queue_wait_0_1);

/// `io_getevents` of the first libaio: waits for one event at least.
extern "C" fn io_getevents_0_1(context: usize, nr: c_long, events: usize, timeout: usize) -> c_int {
    returned(dispatch::io_getevents(Caller::Function, context, 1, nr as isize, events, timeout))
}
old_version!("io_getevents", "LIBAIO_0.1", io_getevents_0_1);

/// `io_cancel` of the first libaio: has no place for an event.
extern "C" fn io_cancel_0_1(context: usize, iocb: usize) -> c_int {
    let mut event = Event::default();
    returned(dispatch::io_cancel(context, iocb, &raw mut event as usize))
}
old_version!("io_cancel", "LIBAIO_0.1", io_cancel_0_1);
