//! The exported functions: libaio's by name and version, the same calls by number, and the C library's that unmap memory.

mod functions;
mod got_replacements;
mod io_queue;
mod libaio_0_1;
mod munmap;
mod syscall;

pub use munmap::look_up;
