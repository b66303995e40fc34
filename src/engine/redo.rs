//! Has a worker do an operation of the engine on io_uring, and brings it back there: io_uring's answer was not the file's.

use core::ptr::NonNull;

use super::engines;
use super::operation::{Finish, Kind, Operation, Stage, TOO_LATE, finish_unheld};
use super::wake_batch::{NO_NUMBERS, WakeBatch};
use super::workers::execute;
use super::workers::job::Task;
use super::workers::nature::Nature;
use crate::host::kernel::Errno;
use crate::host::{descriptors, file_info, memory};

/// A request that a worker does again.
#[repr(C)]
struct Redone {
    operation: Operation,
    original: NonNull<Operation>,
}

/// Has a worker do an operation again by a plain system call. It comes back to the engine on io_uring, whose order it
/// is still part of, as [`Stage::WithWorker`]. False: no worker can be started.
pub fn redo(mut original: NonNull<Operation>) -> bool {
    let Some(workers) = engines::workers() else { return false };
    // SAFETY: reactor-owned.
    let this = unsafe { original.as_mut() };
    let mut operation = Operation::new(this.kind, this.fd, returned as Finish);
    (operation.address, operation.length, operation.offset) = (this.address, this.length, this.offset);
    (operation.rw_flags, operation.priority, operation.face) = (this.rw_flags, this.priority, this.face);
    operation.is_internal = true;
    // Nothing keeps the program from closing the number before a worker has the file.
    operation.fd_generation = this.fd_generation;
    let Ok(redone) = memory::boxed(Redone { operation, original }) else { return false };
    this.stage = Stage::WithWorker;
    // SAFETY: leaked until `returned`; the buffers stay by the promise of the submitter of the original.
    unsafe { workers.submit(NonNull::from(Box::leak(redone)).cast()) };
    true
}

/// The operation that a worker does again.
#[cfg(test)]
pub fn original(copy: NonNull<Operation>) -> NonNull<Operation> {
    // SAFETY: an operation with a kind of its own that is internal, and is given to a device, is one that `redo` has made.
    unsafe { copy.cast::<Redone>().as_ref() }.original
}

/// A worker has done it: the original goes back to the engine that holds its place in the order, and has a thread for as long.
unsafe fn returned(operation: NonNull<Operation>, result: i64, wakes: &mut WakeBatch) {
    // SAFETY: the operation is the first field of a box that `redo` leaked.
    let Redone { original, .. } = *unsafe { Box::from_raw(operation.cast::<Redone>().as_ptr()) };
    // SAFETY: the engine on io_uring does not touch this field until it comes back.
    unsafe { (*original.as_ptr()).offset = result };
    // SAFETY: as its first submitter promised.
    if engines::uring().is_none_or(|engine| unsafe { !engine.push(original, original) }) {
        // SAFETY: no engine has it.
        unsafe { finish_unheld(original, told(original.as_ref(), result), NO_NUMBERS, wakes) };
    }
}

/// What the program is told of a worker's result.
pub fn told(operation: &Operation, result: i64) -> i64 {
    if result == TOO_LATE.negated() { lost(operation) } else { result }
}

/// What is told of an operation whose file is gone before its answer is known: `EIO`, and of one that was not to wait
/// `EAGAIN`, which its program has to expect at any time.
pub fn lost(operation: &Operation) -> i64 {
    let is_asked_not_to_wait = operation.rw_flags & libc::RWF_NOWAIT != 0;
    Errno(if is_asked_not_to_wait { libc::EAGAIN } else { libc::EIO }).negated()
}

/// Does an operation in the thread that submits it, however long it takes: where no engine can be started. Not a poll: `EAGAIN`.
pub fn do_in_caller(operation: &Operation) -> i64 {
    match file_info::info_with_flags(operation.fd, 0) {
        Ok(_) if operation.kind == Kind::Poll => Errno(libc::EAGAIN).negated(),
        // The thread's own priority stays as it is.
        Ok(info) => execute::blocking(&Task { priority: 0, ..Task::of(operation, operation.fd, 0, Nature::of(info)) }),
        Err(errno) => errno.negated(),
    }
}

/// Does an operation on a file in the calling thread, by the program's descriptor: where no worker can be started.
pub fn do_here(operation: &Operation) -> i64 {
    let mut result = lost(operation);
    descriptors::while_open(operation.fd, operation.fd_generation(), || {
        result = execute::blocking(&Task::of(operation, operation.fd, 0, Nature::File));
    });
    result
}
