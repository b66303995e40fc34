//! The libaio face: `io_*`, as functions and as raw system calls.
//!
//! [`abi`] has what is exported, [`calls`] what each call does. [`registry`] finds a [`context`] by the address that the
//! program passes; addresses that it does not know are [the kernel's](kernel_aio). A request that goes to an engine is a
//! [`request`] of the context; its [`completion`] puts an event into the [`ring`].

mod abi;
mod calls;
mod carriage;
mod completion;
mod context;
mod eventfd;
mod got_patch;
mod io_priority;
pub mod iocb;
mod kernel_aio;
mod outstanding;
mod registry;
mod request;
mod ring;
mod rw_flags;
#[cfg(test)]
mod simulated;
mod submit;

pub use abi::look_up;
