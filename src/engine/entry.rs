//! An operation as a submission entry.

use io_uring::squeue;
use io_uring::types::{Fd, Fixed, FsyncFlags};
use io_uring::{opcode, squeue::Flags};

use super::operation::{Kind, MOST_BYTES, Operation};

/// The same code for both kinds of file, which are different types.
macro_rules! build {
    ($operation:expr, $file:expr) => {{
        let this = $operation;
        let address = this.address as *mut u8;
        let length = this.length.min(MOST_BYTES) as u32;
        // The ring waits until a stream is ready even where O_NONBLOCK is set, unless it is told not to.
        let rw_flags = if this.nonblocking { this.rw_flags | libc::RWF_NOWAIT } else { this.rw_flags };
        match this.kind {
            Kind::Read => opcode::Read::new($file, address, length)
                .offset(this.offset as u64)
                .rw_flags(rw_flags)
                .ioprio(this.priority)
                .build(),
            Kind::Write => opcode::Write::new($file, address, length)
                .offset(this.offset as u64)
                .rw_flags(rw_flags)
                .ioprio(this.priority)
                .build(),
            Kind::ReadVector => opcode::Readv::new($file, this.address as *const libc::iovec, this.length as u32)
                .offset(this.offset as u64)
                .rw_flags(rw_flags)
                .ioprio(this.priority)
                .build(),
            Kind::WriteVector => opcode::Writev::new($file, this.address as *const libc::iovec, this.length as u32)
                .offset(this.offset as u64)
                .rw_flags(rw_flags)
                .ioprio(this.priority)
                .build(),
            Kind::Sync => opcode::Fsync::new($file).build(),
            Kind::DataSync => opcode::Fsync::new($file).flags(FsyncFlags::DATASYNC).build(),
            Kind::Poll => opcode::PollAdd::new($file, this.awaited()).build(),
            Kind::Chore => opcode::Nop::new().build(),
        }
    }};
}

/// The entry for `operation`, by its pin if it has one, else by its descriptor. `patiently`: in a worker of the kernel's,
/// which may wait. (A slow file would block the thread that submits it: FUSE has a poll function, which the ring takes for
/// a sign that reads and writes can be done without waiting, and they cannot.)
pub fn of(operation: &Operation, patiently: bool) -> squeue::Entry {
    let entry = if let Some(pin) = operation.pin {
        build!(operation, Fixed(pin.0))
    } else {
        build!(operation, Fd(operation.fd))
    };
    if patiently || operation.slow { entry.flags(Flags::ASYNC) } else { entry }
}

/// The entry for a poll that completes whenever something is true that was not before, until it is stopped (5.13).
pub fn repeated_poll(operation: &Operation) -> squeue::Entry {
    if let Some(pin) = operation.pin {
        opcode::PollAdd::new(Fixed(pin.0), operation.awaited()).multi(true).build()
    } else {
        opcode::PollAdd::new(Fd(operation.fd), operation.awaited()).multi(true).build()
    }
}
