//! Which of the engines' outstanding operations are meant: all of a context, one iocb's, or those that use memory.

use core::ptr;

use super::completion::request_of;
use super::context::{Context, Request};
use crate::engine::{Kind, Matcher, Operation};
use crate::host::address_range::AddressRange;

fn is_of(request: &Request, context: usize) -> bool {
    request.context.addr() == context
}

/// Every request of a context.
pub fn all_of(context: &Context) -> Matcher {
    fn test(operation: &Operation, &[context, ..]: &[usize; 3]) -> bool {
        request_of(operation).is_some_and(|request| is_of(request, context))
    }
    Matcher { test, arguments: [ptr::from_ref(context).addr(), 0, 0] }
}

/// What may wait for ever in a context: polls, which the kernel cancels with it, and I/O on streams, for which the kernel
/// would have waited in `io_submit`.
pub fn endless_of(context: &Context) -> Matcher {
    fn test(operation: &Operation, &[context, ..]: &[usize; 3]) -> bool {
        request_of(operation).is_some_and(|request| is_of(request, context) && request.endless)
    }
    Matcher { test, arguments: [ptr::from_ref(context).addr(), 0, 0] }
}

/// The requests of the iocb at an address; only polls, if `is_poll`.
pub fn of_iocb(context: &Context, iocb: usize, is_poll: bool) -> Matcher {
    fn test(operation: &Operation, &[context, iocb, is_poll]: &[usize; 3]) -> bool {
        (is_poll == 0 || operation.kind == Kind::Poll)
            && request_of(operation).is_some_and(|request| is_of(request, context) && request.object as usize == iocb)
    }
    Matcher { test, arguments: [ptr::from_ref(context).addr(), iocb, is_poll.into()] }
}

/// Requests with a buffer in this memory, on files. (Those on streams may wait for ever.)
pub fn with_buffers_in(memory: AddressRange) -> Matcher {
    fn test(operation: &Operation, &[start, length, _]: &[usize; 3]) -> bool {
        let memory = AddressRange::new(start, length);
        if request_of(operation).is_none_or(|request| request.endless) {
            return false;
        }
        match operation.kind {
            Kind::Read | Kind::Write => memory.overlaps(AddressRange::new(operation.address, operation.length)),
            Kind::ReadVector | Kind::WriteVector => {
                // SAFETY: the request's own copy of the array.
                let vectors =
                    unsafe { core::slice::from_raw_parts(operation.address as *const libc::iovec, operation.length) };
                vectors
                    .iter()
                    .any(|vector| memory.overlaps(AddressRange::new(vector.iov_base as usize, vector.iov_len)))
            }
            _ => false,
        }
    }
    Matcher { test, arguments: [memory.start(), memory.length(), 0] }
}
