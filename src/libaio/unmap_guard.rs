//! Buffers that the program unmaps while requests use them. The kernel's own AIO has done buffered I/O, and holds the pages
//! of direct I/O, when `io_submit` returns; a program may have got used to that. Here a request may still be with an engine:
//! it is waited for, as long as a device may take.

use core::time::Duration;

use super::{registry, submit};
use crate::engine::{self, Kind, Matcher, Operation};
use crate::host::futex::{self, Deadline};

/// A file that does not answer (a server that is gone) is not waited for longer.
const FILE_WAIT: Duration = Duration::from_secs(2);

/// Returns when no file is being read into or written from these bytes. (What waits for another program, on a stream, is
/// left alone: that may take for ever, and the kernel's AIO would not have let the program come this far.)
pub fn await_unused(address: usize, length: usize) {
    if !registry::has_transfers() {
        return;
    }
    let deadline = Deadline::after(FILE_WAIT);
    let matcher = Matcher { test: uses, arguments: [address, address.saturating_add(length), 0] };
    while engine::started().is_some_and(|engines| engines.count(matcher) > 0) && !deadline.is_over() {
        futex::sleep_50us();
    }
}

/// Whether an operation is a request with a buffer within the range.
fn uses(operation: &Operation, &[start, end, _]: &[usize; 3]) -> bool {
    if submit::request_of(operation).is_none_or(|request| request.endless) {
        return false;
    }
    let is_within = |address: usize, length: usize| address < end && address.saturating_add(length) > start;
    match operation.kind {
        Kind::Read | Kind::Write => is_within(operation.address, operation.length),
        Kind::ReadVector | Kind::WriteVector => {
            // SAFETY: the request's own copy of the array.
            let vectors =
                unsafe { core::slice::from_raw_parts(operation.address as *const libc::iovec, operation.length) };
            vectors.iter().any(|vector| is_within(vector.iov_base as usize, vector.iov_len))
        }
        _ => false,
    }
}
