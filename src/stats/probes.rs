//! USDT probes: places that `bpftrace`, `perf` and `gdb` can attach to. Each is one `nop`, and a note in the file that says
//! where it is and in which registers its arguments are. Unless a tool is attached, nothing is tested or called.
//!
//! | probe | arguments |
//! |---|---|
//! | `uringaio:submit` | face (0 POSIX AIO, 1 libaio), kind, descriptor, aiocb or iocb, length, offset; in the calling thread |
//! | `uringaio:complete` | face, aiocb or iocb, result or `-errno`; in the thread that finished it |
//!
//! share/bpftrace has scripts that use them. Kinds are those of [`Action`]. All arguments are 64 bits wide.

#![allow(clippy::undocumented_unsafe_blocks, reason = "the block is the macro's: a nop that reads its arguments")]

use super::kinds::{Action, Face};

/// A request was made.
#[inline]
pub fn submit(face: Face, action: Action, fd: i32, object: usize, length: usize, offset: i64) {
    probe::probe!(uringaio, submit, face as isize, action as isize, fd, object, length, offset);
}

/// A request has ended, and the program is about to see that.
#[inline]
pub fn complete(face: Face, object: usize, result: i64) {
    probe::probe!(uringaio, complete, face as isize, object, result);
}
