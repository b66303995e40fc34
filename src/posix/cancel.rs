//! `aio_cancel`: stopping what is outstanding on a descriptor, or one request of it.

use core::ffi::c_int;
use core::ptr::{self, NonNull};

use super::aiocb::Block;
use super::own_ring;
use super::request::Request;
use crate::engine::{self, Operation, private};
use crate::host::descriptors;
use crate::host::files;
use crate::host::kernel::Errno;

/// Which requests are to be stopped.
struct Meant {
    fd: c_int,
    fd_generation: u32,
    block: Option<Block>,
}

/// Stops the request of `block`, or every request on `fd`. `AIO_CANCELED`: each of them has ended with ECANCELED, and its
/// buffer will not be touched; `AIO_NOTCANCELED`: at least one goes on; `AIO_ALLDONE`: there was none.
///
/// # Errors
/// `EBADF`: `fd` is not open. `EINVAL`: the request is on another descriptor.
pub fn cancel(fd: c_int, block: Option<Block>) -> Result<c_int, Errno> {
    files::flags(fd)?;
    if let Some(block) = block {
        if block.fd() != fd {
            return Err(Errno(libc::EINVAL));
        }
        if own_ring::error(block) != libc::EINPROGRESS {
            return Ok(libc::AIO_ALLDONE);
        }
        if block.ring_of().is_some() {
            // On its way to or from the device, where nothing stops it.
            return Ok(libc::AIO_NOTCANCELED);
        }
    } else {
        // So near its end that it is waited for.
        private::settle(private::On::Descriptor(fd));
    }
    let Some(engine) = engine::started() else { return Ok(libc::AIO_ALLDONE) };
    let meant = Meant { fd, fd_generation: descriptors::generation(fd), block };
    let outcome = engine.cancel(is_meant, ptr::from_ref(&meant).addr());
    Ok(match (outcome.canceled, outcome.refused) {
        (0, 0) => libc::AIO_ALLDONE,
        (_, 0) => libc::AIO_CANCELED,
        _ => libc::AIO_NOTCANCELED,
    })
}

/// Whether an outstanding operation is one of those.
unsafe fn is_meant(operation: NonNull<Operation>, meant: usize) -> bool {
    // SAFETY: `cancel` passed its own, and waits for the answer. The operation is alive.
    let (meant, identity) = unsafe { (&*(meant as *const Meant), Request::identity(operation)) };
    identity.is_some_and(|(fd, fd_generation, block)| match meant.block {
        Some(wanted) => block == wanted,
        None => fd == meant.fd && fd_generation == meant.fd_generation,
    })
}
