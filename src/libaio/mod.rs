//! The libaio face: `io_*`, and the same as raw system calls.
//!
//! `abi` and `versions` are the functions, `syscall` the system call by number, and all lead to `dispatch`: contexts of ours
//! are found by `registry`, others are the kernel's.

mod abandonable_lock;
mod abi;
mod cancel;
mod carriage;
mod context;
mod destroy;
mod dispatch;
mod event_ring;
mod got_patch;
mod iocb;
mod kernel_aio;
mod mapping;
mod pgetevents;
mod registry;
mod request;
mod ring_memory;
mod submit;
mod syscall;
mod table;
mod unmap_guard;
mod user_access;
mod versions;
mod wait;
mod waiters;
