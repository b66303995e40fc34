//! The functions that programs linked against the first libaio are bound to: `io_getevents@LIBAIO_0.1` and its like, which
//! have fewer arguments.

use core::ffi::{c_int, c_long};

use super::io_queue::io_queue_wait;
use crate::c_boundary::value_or_negated_errno;
use crate::libaio::calls::dispatch::{self, Caller, GetEvents};
use crate::libaio::ring::layout::Event;
use crate::symbol_versions::old_version;

/// `io_queue_wait` of the first libaio: the same.
extern "C" fn io_queue_wait_0_1(context: usize, timeout: usize) -> c_int {
    io_queue_wait(context, timeout)
}
old_version!("io_queue_wait", "LIBAIO_0.1", io_queue_wait_0_1);

/// `io_getevents` of the first libaio: waits for one event at least.
extern "C" fn io_getevents_0_1(context: usize, nr: c_long, events: usize, timeout: usize) -> c_int {
    let call = GetEvents { context, min: 1, most: nr as isize, events, timeout };
    value_or_negated_errno(dispatch::io_getevents(Caller::Function, call))
}
old_version!("io_getevents", "LIBAIO_0.1", io_getevents_0_1);

/// `io_cancel` of the first libaio: has no place for an event.
extern "C" fn io_cancel_0_1(context: usize, iocb: usize) -> c_int {
    let mut event = Event::default();
    value_or_negated_errno(dispatch::io_cancel(context, iocb, &raw mut event as usize))
}
old_version!("io_cancel", "LIBAIO_0.1", io_cancel_0_1);
