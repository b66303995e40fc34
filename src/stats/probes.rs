//! USDT probes: places that `bpftrace`, `perf` and `gdb` can attach to. One `nop` each, and a note in the file that says
//! where it is and in which registers its arguments are; nothing is tested or called when nobody is attached.
//!
//! | probe | arguments |
//! |---|---|
//! | `uringaio:submit` | face (0 POSIX AIO, 1 libaio), kind, descriptor, aiocb or iocb, length, offset; in the calling thread |
//! | `uringaio:complete` | face, aiocb or iocb, result or `-errno`; in the thread that finished it |
//!
//! Kinds are those of [`super::Action`]. Everything is 64 bits wide.

#![allow(clippy::undocumented_unsafe_blocks, reason = "the block is the macro's: a nop, and arguments that it reads")]

use super::kinds::{Action, Face};

/// A request was made.
#[inline]
pub fn submit(face: Face, action: Action, fd: i32, object: usize, length: usize, offset: i64) {
    probe::probe!(uringaio, submit, face as isize, action as isize, fd, object, length, offset);
}

/// A request is over, and the program is about to be able to see that.
#[inline]
pub fn complete(face: Face, object: usize, result: i64) {
    probe::probe!(uringaio, complete, face as isize, object, result);
}
