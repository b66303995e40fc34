//! An operation as a submission entry.

use io_uring::squeue;
use io_uring::types::{Fd, Fixed, FsyncFlags};
use io_uring::{opcode, squeue::Flags};

use crate::engine::operation::{Kind, MAX_RW_BYTES, Operation};

/// The same code for both kinds of file, which are different types.
macro_rules! build {
    ($operation:expr, $file:expr) => {{
        let this = $operation;
        let address = this.address as *mut u8;
        let length = this.length.min(MAX_RW_BYTES) as u32;
        let rw_flags = this.rw_flags | if this.tries_without_waiting() { libc::RWF_NOWAIT } else { 0 };
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
            // Polls are the workers'; commands and notifications never reach a device.
            Kind::Poll | Kind::Nop => opcode::Nop::new().build(),
        }
    }};
}

/// The entry for `operation`, by the slot that holds its file if there is one, else by its descriptor. `blocking`: in a
/// worker of the kernel's, which may wait.
pub fn of(operation: &Operation, blocking: bool) -> squeue::Entry {
    let entry = if let Some(file) = operation.held {
        build!(operation, Fixed(file.slot()))
    } else {
        build!(operation, Fd(operation.fd))
    };
    if blocking { entry.flags(Flags::ASYNC) } else { entry }
}
