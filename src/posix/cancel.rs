//! `aio_cancel`: stopping what is outstanding on a descriptor, or one request of it.

use core::ffi::c_int;

use super::aiocb::AiocbRef;
use super::request;
use crate::engine::{self, Matcher, Operation};
use crate::host::descriptors;
use crate::host::file_info;
use crate::host::kernel::Errno;

/// Stops the request of `block`, or every request on `fd`. `AIO_CANCELED`: each of them has ended with ECANCELED, and its
/// buffer will not be touched; `AIO_NOTCANCELED`: at least one goes on; `AIO_ALLDONE`: there was none.
///
/// # Errors
/// `EBADF`: `fd` is not open. `EINVAL`: the request is on another descriptor.
pub fn cancel(fd: c_int, block: Option<AiocbRef>) -> Result<c_int, Errno> {
    file_info::flags(fd)?;
    if let Some(block) = block {
        if block.fd() != fd {
            return Err(Errno(libc::EINVAL));
        }
        if block.error() != libc::EINPROGRESS {
            return Ok(libc::AIO_ALLDONE);
        }
    }
    let Some(engines) = engine::started() else { return Ok(libc::AIO_ALLDONE) };
    let outcome = engines.cancel(match block {
        Some(block) => Matcher { test: is_request, arguments: [block.address(), 0, 0] },
        None => Matcher { test: is_on, arguments: [fd as usize, descriptors::generation(fd) as usize, 0] },
    });
    Ok(match (outcome.canceled, outcome.refused) {
        (0, 0) => libc::AIO_ALLDONE,
        (_, 0) => libc::AIO_CANCELED,
        _ => libc::AIO_NOTCANCELED,
    })
}

fn is_request(operation: &Operation, arguments: &[usize; 3]) -> bool {
    request::aiocb_of(operation).is_some_and(|block| block.address() == arguments[0])
}

/// On this descriptor, and submitted while it named this file.
fn is_on(operation: &Operation, arguments: &[usize; 3]) -> bool {
    operation.fd as usize == arguments[0]
        && operation.fd_generation() as usize == arguments[1]
        && request::aiocb_of(operation).is_some()
}
