//! The eventfd that is to count the end of a request, or of a list of requests.

use core::ffi::c_int;

use super::fd_cache::{self, FdInfo};
use super::inline_io;
use crate::host::descriptors;
use crate::host::kernel::Errno;
use crate::stats::{self, Notification};

/// An eventfd of the program's, as it was at the call.
#[derive(Clone, Copy)]
pub struct Eventfd {
    /// Its number, for an operation.
    pub fd: c_int,
    info: FdInfo,
    /// [`descriptors::generation`] of the number when it was looked up.
    generation: u32,
}

impl Eventfd {
    /// The eventfd of this number.
    ///
    /// # Errors
    /// `EBADF`; `EINVAL`: it is no eventfd.
    pub fn at(fd: c_int) -> Result<Self, Errno> {
        let generation = descriptors::generation(fd);
        let mut info = fd_cache::lookup(fd)?;
        if !info.is_eventfd() {
            info = fd_cache::look_again(fd, info)?.filter(|info| info.is_eventfd()).ok_or(Errno(libc::EINVAL))?;
        }
        Ok(Self { fd, info, generation })
    }

    /// Counts, in the call that it was looked up in, what has ended and can be seen to have. A thread that has seen it may
    /// close the eventfd, and the number may then be another file's: nothing is written there.
    pub fn signal(self) {
        let Self { fd, info, generation } = self;
        descriptors::while_open(fd, generation, || {
            inline_io::signal_eventfd(fd, info);
            stats::notified(Notification::Eventfd, 1);
        });
    }
}
