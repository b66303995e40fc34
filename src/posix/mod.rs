//! The POSIX face: `aio_*` and `lio_listio`.
//!
//! [`abi`] checks and converts a call. [`submit`] begins the request: what need not wait is done at once, the rest goes to an
//! engine as a [`request`]. When it ends, the program's `aiocb` has its whole state; threads in [`suspend`] wake, and
//! [`notify`] tells the program by [`sigev_signal`] or [`sigev_thread`].
//!
//! Imports inside this folder point down this list: extensions · abi · list, cancel, waitcomplete, timeout · submit · list_group · notify · sigev_thread,
//! sigev_signal · request_pool · request · suspend · completed, deadlines · aiocb · sigevent.

mod abi;
pub mod aiocb;
mod cancel;
mod cancellation;
pub mod completed;
mod deadline;
mod deadline_timer;
pub mod extensions;
mod glibc_aio;
mod list;
mod list_group;
mod notify;
mod request;
mod request_pool;
mod sigev_signal;
mod sigev_thread;
pub mod sigevent;
#[cfg(test)]
mod simulated;
mod submit;
mod suspend;
mod waitcomplete;
