//! How long `io_getevents` may wait.

use crate::host::futex::Deadline;
use crate::host::kernel::{self, Errno};
use crate::host::user_access;

const NS_PER_S: u64 = 1_000_000_000;

/// How long a call may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// For ever.
    Never,
    /// Not at all.
    Now,
    /// So many nanoseconds.
    After(u64),
}

impl Timeout {
    /// The timespec at `address`; for ever if that is 0. As the kernel does, it is added up unchecked, and a negative time is
    /// for ever, too (fs/aio.c, measured on Linux 6.18).
    ///
    /// # Errors
    /// `EFAULT`
    #[inline]
    pub fn read(address: usize) -> Result<Self, Errno> {
        if address == 0 {
            return Ok(Self::Never);
        }
        user_access::readable(address, size_of::<libc::timespec>())?;
        // SAFETY: seen to be readable.
        let time = unsafe { (address as *const libc::timespec).read_unaligned() };
        let nanoseconds = i128::from(time.tv_sec) * i128::from(NS_PER_S) + i128::from(time.tv_nsec);
        Ok(match u64::try_from(nanoseconds) {
            Ok(0) => Self::Now,
            Ok(nanoseconds) => Self::After(nanoseconds),
            Err(_) => Self::Never,
        })
    }

    /// What is left of it now, if it began to run at `began`.
    #[must_use]
    pub fn left(self, began: u64) -> Self {
        match self {
            Self::After(nanoseconds) => match nanoseconds.saturating_sub(kernel::now().saturating_sub(began)) {
                0 => Self::Now,
                left => Self::After(left),
            },
            timeout => timeout,
        }
    }

    /// The form in which a system call takes it; none: for ever.
    #[must_use]
    pub fn to_timespec(self) -> Option<libc::timespec> {
        let nanoseconds = match self {
            Self::Never => return None,
            Self::Now => 0,
            Self::After(nanoseconds) => nanoseconds,
        };
        Some(libc::timespec { tv_sec: (nanoseconds / NS_PER_S) as _, tv_nsec: (nanoseconds % NS_PER_S) as _ })
    }

    /// When it is over, if it begins to run now.
    #[must_use]
    pub fn deadline(self) -> Deadline {
        match self {
            Self::Never => Deadline::Never,
            Self::Now => Deadline::At(0),
            Self::After(nanoseconds) => kernel::now().checked_add(nanoseconds).map_or(Deadline::Never, Deadline::At),
        }
    }
}
