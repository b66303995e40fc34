//! Counting: one function for each event.

use core::mem::offset_of;

use super::counter_block::{self as block, add};
use super::kinds::{Action, Face, Lane, Notification, ServedBy};
use super::layout::{KINDS, latency_bucket, size_bucket, uringaio_counters};
use crate::host::kernel;
use crate::host::settings;

/// The word of a counter: `word!(calls, face)`, `word!(by_engine, face, kind of KINDS)`.
macro_rules! word {
    ($field:ident) => {
        offset_of!(uringaio_counters, $field) / 8
    };
    ($field:ident, $index:expr) => {
        word!($field) + $index as usize
    };
    ($field:ident, $row:expr, $column:expr) => {
        word!($field) + $row as usize * KINDS + $column as usize
    };
}

/// The first AIO call of this process has found what serves it. In a forked child the parent's numbers end here.
pub fn begin(serves: ServedBy) {
    block::begin(serves, kernel::process_id() as u32, kernel::now(), settings::get().stats);
}

/// A call of the program's submits `count` operations at once. Called once in each call that submits anything, for all lanes
/// together.
#[inline]
pub fn submitted(face: Face, count: u64) {
    let slot = block::mine();
    add(slot, word!(calls, face), 1);
    add(slot, word!(submitted, face), count);
    add(slot, word!(call_sizes, size_bucket(count)), 1);
}

/// An operation was finished in the calling thread.
#[inline]
pub fn in_caller(face: Face, action: Action, result: i64) {
    let slot = block::mine();
    add(slot, word!(in_caller, face, action), 1);
    ended(slot, face, action, result);
}

/// The engine has accepted an operation.
#[inline]
pub fn accepted(face: Face, action: Action) {
    add(block::mine(), word!(by_engine, face, action), 1);
}

/// A call on a context that the kernel's own AIO carries submitted `count` operations.
#[inline]
pub fn carried_by_kernel(face: Face, count: u64) {
    submitted(face, count);
    add(block::mine(), word!(kernel_aio, face), count);
}

/// The engine has finished an operation.
#[inline]
pub fn finished(face: Face, action: Action, result: i64) {
    let slot = block::mine();
    add(slot, word!(engine_finished, face), 1);
    ended(slot, face, action, result);
}

#[inline]
fn ended(slot: block::Mine, face: Face, action: Action, result: i64) {
    const CANCELED: i64 = -(libc::ECANCELED as i64);
    match (action, result) {
        (_, CANCELED) => add(slot, word!(canceled, face), 1),
        (_, ..0) => add(slot, word!(failed, face), 1),
        (Action::Read | Action::ReadVector, _) => add(slot, word!(bytes_read), result as u64),
        (Action::Write | Action::WriteVector, _) => add(slot, word!(bytes_written), result as u64),
        _ => {}
    }
}

/// So many bytes at the beginning of a transfer were moved in the calling thread; the rest goes to an engine.
#[cold]
pub fn moved(action: Action, bytes: u64) {
    let reads = matches!(action, Action::Read | Action::ReadVector);
    add(block::mine(), if reads { word!(bytes_read) } else { word!(bytes_written) }, bytes);
}

/// A call was passed on to the system's own implementation.
#[inline]
pub fn fell_back(face: Face) {
    add(block::mine(), word!(passed_on, face), 1);
}

/// `count` notifications were sent.
#[inline]
pub fn notified(notification: Notification, count: u64) {
    add(block::mine(), word!(notifications, notification), count);
}

/// The engine's thread took in `count` operations at once.
#[inline]
pub fn took(count: u64) {
    if count > 0 {
        add(block::mine(), word!(engine_batches, size_bucket(count)), 1);
    }
}

/// The engine's thread went to sleep: until it is notified (`armed`), or for the next completion alone.
#[inline]
pub fn slept(armed: bool) {
    add(block::mine(), if armed { word!(sleeps) } else { word!(timed_sleeps) }, 1);
}

/// A submitter woke the engine's thread.
#[inline]
pub fn doorbell_notified() {
    add(block::mine(), word!(wakes), 1);
}

/// Begins to time an operation, if an observer has asked for it: the time now, or 0, for [`timed`].
#[inline]
#[must_use]
pub fn stamp() -> u64 {
    if block::is_observed() { kernel::now() } else { 0 }
}

/// The operation that was stamped has ended.
#[inline]
pub fn timed(lane: Lane, stamp: u64) {
    if stamp != 0 {
        let took = kernel::now().saturating_sub(stamp);
        block::count_latency(lane as usize, latency_bucket(took));
    }
}
