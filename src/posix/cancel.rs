//! `aio_cancel`: stops one request, or all requests on a descriptor.

use core::ffi::c_int;

use super::aiocb::AiocbRef;
use super::submit;
use crate::engine::{self, Matcher, Operation};
use crate::host::descriptors;
use crate::host::file_info;
use crate::host::kernel::Errno;
use crate::submission::fd_cache;

/// Stops the request of `aiocb`, or every request on `fd`. `AIO_CANCELED`: each of them has ended with `ECANCELED`, and its
/// buffer will not be touched; `AIO_NOTCANCELED`: at least one goes on; `AIO_ALLDONE`: there was none.
///
/// # Errors
/// `EBADF`: `fd` is not open. `EINVAL`: the request is on another descriptor, or the aiocb is in progress and no request's (a
/// copy of one), as with glibc.
pub fn cancel(fd: c_int, aiocb: Option<AiocbRef>) -> Result<c_int, Errno> {
    file_info::flags(fd)?;
    if let Some(aiocb) = aiocb {
        if aiocb.fd() != fd {
            return Err(Errno(libc::EINVAL));
        }
        if !aiocb.is_in_progress() {
            return Ok(libc::AIO_ALLDONE);
        }
    }
    let (canceled, refused) = engine::started().map_or((0, 0), |engines| {
        let outcome = engines.cancel(match aiocb {
            Some(aiocb) => Matcher { test: is_request_of, arguments: [aiocb.address(), 0, 0] },
            None => Matcher { test: is_on_descriptor, arguments: file_of(fd) },
        });
        (outcome.canceled, outcome.refused)
    });
    match (canceled, refused) {
        (0, 0) if aiocb.is_some_and(AiocbRef::is_in_progress) => Err(Errno(libc::EINVAL)),
        (0, 0) => Ok(libc::AIO_ALLDONE),
        (_, 0) => Ok(libc::AIO_CANCELED),
        _ => Ok(libc::AIO_NOTCANCELED),
    }
}

/// What [`is_on_descriptor`] compares.
fn file_of(fd: c_int) -> [usize; 3] {
    let identity = fd_cache::lookup(fd).map_or(0, |file| file.identity);
    [fd as usize, descriptors::generation(fd) as usize, identity as usize]
}

fn is_request_of(operation: &Operation, &[address, ..]: &[usize; 3]) -> bool {
    submit::aiocb_of(operation).is_some_and(|aiocb| aiocb.address() == address)
}

/// On this descriptor, and submitted while it named the same file as now. Where the generation is another, the number need not have
/// been closed: others count with it.
fn is_on_descriptor(operation: &Operation, &[fd, generation, identity]: &[usize; 3]) -> bool {
    operation.fd as usize == fd
        && (operation.fd_generation() as usize == generation || operation.file as usize == identity)
        && submit::aiocb_of(operation).is_some()
}
