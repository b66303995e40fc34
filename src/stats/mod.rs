//! Counters of what the library does: exact, always on, and too cheap to notice.
//!
//! They lie in one static block of memory ([`counter_block`]). Every thread counts in a slot of its own with a plain load and
//! store: no lock, no shared cache line. Readers add the slots up: the summary at exit (`URINGAIO_STATS=1`), [`read()`] for
//! programs that link the library, and `uringaio stat`, which reads the block out of another process and finds it by an ELF
//! note. So nothing has to be opened, served or answered in the program itself.
//!
//! Reading the clock costs as much as all counting together, so operations are timed only while an observer asks for it.

mod count;
mod counter_block;
mod devices;
mod kinds;
#[allow(dead_code, reason = "compiled into the command as well, which uses the rest")]
pub mod layout;
pub mod probes;
mod read;
mod summary;

pub use count::{
    accepted, begin, carried_by_kernel, doorbell_notified, fell_back, finished, in_caller, moved, notified, slept,
    stamp, submitted, timed, took,
};
pub use devices::{device_met, device_paused, device_timed};
pub use kinds::{Action, Face, Lane, Notification, ServedBy};
#[cfg(not(feature = "libaio-abi"))]
pub use read::read;
pub use read::{has_begun, serves};
pub use summary::summarize;
