//! Counters of what the library does: exact, always on, and too cheap to notice.
//!
//! They lie in one static block. Every thread counts in a slot of its own with a plain load and store; nothing is locked and
//! no cache line is shared. Whoever wants to know adds the slots up: the summary at exit (`URINGAIO_STATS=1`),
//! [`read`] for programs that link us, and `uringaio stat`, which reads the block out of another process and finds it by an
//! ELF note. So nothing has to be opened, served or answered in the program itself.
//!
//! Time is another matter, since reading the clock costs as much as everything else here together: operations are timed
//! only while somebody observes.

#[allow(dead_code, reason = "compiled into the command as well, which uses the rest")]
pub mod layout;
pub mod probes;
mod slots;
mod summary;

use core::ffi::c_int;
use core::mem::offset_of;

use crate::host::kernel;
use crate::host::settings;
use layout::{KINDS, LATENCIES, latency_bucket, size_bucket, uringaio_counters};
use slots::{BLOCK, add};
pub use summary::summarize;

/// Whose operation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Face {
    /// `aio_*`, `lio_listio`.
    Posix = 0,
    /// `io_*`.
    Libaio = 1,
}

/// Where an operation was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Lane {
    /// In the calling thread.
    InPlace = 0,
    /// By the engine.
    Engine = 1,
}

/// What an operation does; the engine's kinds, without its own commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Action {
    /// One buffer.
    Read = 0,
    /// One buffer.
    Write = 1,
    /// Several buffers.
    ReadVector = 2,
    /// Several buffers.
    WriteVector = 3,
    /// `fsync`.
    Sync = 4,
    /// `fdatasync`.
    DataSync = 5,
    /// `poll`.
    Poll = 6,
}

/// How a program is told of a completion, other than by asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Notification {
    /// `SIGEV_SIGNAL`, `SIGEV_THREAD_ID`.
    Signal = 0,
    /// `SIGEV_THREAD`.
    Callback = 1,
    /// `IOCB_FLAG_RESFD`.
    Eventfd = 2,
}

/// What serves the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ServedBy {
    /// The system's own AIO.
    System = 0,
    /// io_uring.
    Uring = 1,
    /// Worker threads of the library.
    Workers = 2,
}

/// The word of a counter: `word!(calls, face)`, `word!(engine, face, kind of KINDS)`.
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
    slots::begin(serves, kernel::process_id() as u32, kernel::now(), settings::get().stats);
}

/// A call of the program's submits `count` operations at once. To be called once in each call that submits anything,
/// whatever lane its operations take.
#[inline]
pub fn submitted(face: Face, count: u64) {
    let slot = slots::mine();
    add(slot, word!(calls, face), 1);
    add(slot, word!(submitted, face), count);
    add(slot, word!(call_sizes, size_bucket(count)), 1);
}

/// An operation was finished in the calling thread.
#[inline]
pub fn in_place(face: Face, action: Action, result: i64) {
    let slot = slots::mine();
    add(slot, word!(in_place, face, action), 1);
    ended(slot, face, action, result);
}

/// The engine has accepted an operation.
#[inline]
pub fn accepted(face: Face, action: Action) {
    add(slots::mine(), word!(engine, face, action), 1);
}

/// A call on a context that the kernel's own AIO carries submitted `count` operations.
#[inline]
pub fn carried_by_kernel(face: Face, count: u64) {
    let slot = slots::mine();
    add(slot, word!(calls, face), 1);
    add(slot, word!(submitted, face), count);
    add(slot, word!(call_sizes, size_bucket(count)), 1);
    add(slot, word!(kernel_aio, face), count);
}

/// The engine has finished an operation.
#[inline]
pub fn finished(face: Face, action: Action, result: i64) {
    let slot = slots::mine();
    add(slot, word!(engine_finished, face), 1);
    ended(slot, face, action, result);
}

#[inline]
fn ended(slot: slots::Mine, face: Face, action: Action, result: i64) {
    const CANCELED: i64 = -(libc::ECANCELED as i64);
    match (action, result) {
        (_, CANCELED) => add(slot, word!(canceled, face), 1),
        (_, ..0) => add(slot, word!(failed, face), 1),
        (Action::Read | Action::ReadVector, _) => add(slot, word!(bytes_read), result as u64),
        (Action::Write | Action::WriteVector, _) => add(slot, word!(bytes_written), result as u64),
        _ => {}
    }
}

/// The beginning of a transfer, so many bytes, was done in the calling thread; the rest goes to the engine.
#[cold]
pub fn moved(action: Action, bytes: u64) {
    let reads = matches!(action, Action::Read | Action::ReadVector);
    add(slots::mine(), if reads { word!(bytes_read) } else { word!(bytes_written) }, bytes);
}

/// A call was passed on to the system's own implementation.
#[inline]
pub fn fell_back(face: Face) {
    add(slots::mine(), word!(fallbacks, face), 1);
}

/// `count` notifications were sent.
#[inline]
pub fn notified(notification: Notification, count: u64) {
    add(slots::mine(), word!(notifications, notification), count);
}

/// The engine's thread took in `count` operations at once.
#[inline]
pub fn took(count: u64) {
    if count > 0 {
        add(slots::mine(), word!(engine_batches, size_bucket(count)), 1);
    }
}

/// The engine's thread went to sleep: until it is notified (`armed`), or for the next completion alone.
#[inline]
pub fn slept(armed: bool) {
    add(slots::mine(), if armed { word!(sleeps) } else { word!(timed_sleeps) }, 1);
}

/// A submitter woke the engine's thread.
#[inline]
pub fn doorbell_notified() {
    add(slots::mine(), word!(doorbells), 1);
}

/// Begins to time an operation, if somebody observes: the time now, or 0. The answer goes to [`timed`].
#[inline]
#[must_use]
pub fn stamp() -> u64 {
    if slots::is_observed() { kernel::now() } else { 0 }
}

/// The operation that was stamped has ended.
#[inline]
pub fn timed(lane: Lane, stamp: u64) {
    if stamp != 0 {
        let took = kernel::now().saturating_sub(stamp);
        slots::count_latency(lane as usize, latency_bucket(took));
    }
}

/// The counters of this process, as they are now. Other threads count on meanwhile, so numbers that belong together may
/// differ by what is just happening.
#[must_use]
pub fn read() -> uringaio_counters {
    uringaio_counters::from_words(&slots::totals())
}

/// How long operations of a lane took, as far as they were timed; see [`layout::LATENCIES`].
#[must_use]
pub fn latencies(lane: Lane) -> [u64; LATENCIES] {
    slots::latencies(lane as usize)
}

/// Whether this process has found what serves it.
#[must_use]
pub fn has_begun() -> bool {
    slots::has_begun(kernel::process_id() as u32)
}

/// What serves this process: 0 the system's own AIO or nothing yet, 1 io_uring, 2 threads.
#[must_use]
pub fn serves() -> c_int {
    BLOCK.serves() as c_int
}
