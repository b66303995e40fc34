//! Buffers that the program unmaps while requests use them. The kernel's own AIO has done buffered I/O, and holds the pages
//! of direct I/O, when `io_submit` returns; a program may have got used to that. Here a request may still be with the
//! engine, or in a worker of the kernel's: it is waited for.

use core::ptr::NonNull;
use core::slice;

use super::{contexts, submit};
use crate::engine::{Kind, Operation, private};
use crate::host::futex;

/// Returns when no file is being read into or written from these bytes. (What waits for another program, on a stream, is
/// left alone: that may take for ever, and the kernel's AIO would not have let the program come this far.)
pub fn await_unused(address: usize, length: usize) {
    let range = (address, address.saturating_add(length));
    // What a private ring has was pinned when it was submitted, but for what a worker of the kernel's does, and for what is
    // just being handed over.
    private::settle_desks();
    private::settle(private::On::Memory(range.0, range.1));
    while contexts::are_busy() && contexts::engine().is_some_and(|engine| engine.has(uses, (&raw const range) as usize))
    {
        futex::linger();
    }
}

/// Whether a request has a buffer within the range at `range`.
unsafe fn uses(operation: NonNull<Operation>, range: usize) -> bool {
    let Some(request) = submit::request_of(operation) else { return false };
    // SAFETY: the engine has it, so it is whole; `await_unused` waits, with the range on its stack.
    let (request, operation, (start, end)) =
        unsafe { (request.as_ref(), operation.as_ref(), *(range as *const (usize, usize))) };
    if request.endless {
        return false;
    }
    let is_within = |address: usize, length: usize| address < end && address.saturating_add(length) > start;
    match operation.kind {
        Kind::Read | Kind::Write => is_within(operation.address, operation.length),
        Kind::ReadVector | Kind::WriteVector => {
            // SAFETY: the request's own copy of the array.
            let vectors = unsafe { slice::from_raw_parts(operation.address as *const libc::iovec, operation.length) };
            vectors.iter().any(|vector| is_within(vector.iov_base as usize, vector.iov_len))
        }
        _ => false,
    }
}
