//! The libaio face: `io_*`, and the same as raw system calls.
//!
//! `abi` and `versions` are the functions, `syscall` the system call by number, and all lead to `calls`: contexts of ours
//! are found by `contexts`, others are the kernel's.

mod abi;
mod buffers;
mod calls;
mod cancel;
mod context;
mod contexts;
mod destroy;
mod event_ring;
mod habit;
mod handover;
mod in_place;
mod iocb;
mod mapping;
mod masked;
mod memory;
mod opened;
mod redirect;
mod request;
mod ring_memory;
mod sleepers;
mod streams;
mod submit;
mod syscall;
mod system;
mod table;
mod turn;
mod versions;
mod wait;
