//! The kernel's own AIO: for contexts that the kernel carries, for addresses that the library does not know, and where neither
//! io_uring nor worker threads can be used.
//!
//! The answers are those of the system calls: the kernel knows whether an address is a context.

use super::ring::layout::{HEADER_BYTES, HeaderCopy};
use crate::host::kernel::{self, Errno, syscall};
use crate::host::seccomp;
use crate::host::user_access;
use crate::stats::{self, Face};

// kernel-refuses: the kernel checks the addresses that a program passes, and refuses bad ones.

type Answer = Result<usize, Errno>;

/// A kernel without AIO has no contexts: `EINVAL` instead of `ENOSYS`.
fn refused(answer: Answer) -> Answer {
    answer.map_err(|errno| if errno == Errno(libc::ENOSYS) { Errno(libc::EINVAL) } else { errno })
}

/// `io_setup(2)`
///
/// # Errors
/// The kernel's.
pub fn set_up(nr_events: u32, to: usize) -> Answer {
    // SAFETY: kernel-refuses.
    unsafe { syscall!(libc::SYS_io_setup, nr_events, to) }
}

/// Whether `io_setup(2)` and `io_destroy(2)` may be called: a seccomp filter might end the process.
#[cold]
pub fn may_set_up() -> bool {
    let calls = [libc::SYS_io_setup, libc::SYS_io_destroy].map(|number| seccomp::Call { number, arguments: [0; 2] });
    // SAFETY: no context is made without a place for its address, and there is none at 0.
    matches!(unsafe { seccomp::try_in_child(&calls) }, Ok(seccomp::Answer::All(_)))
}

/// `io_destroy(2)`
///
/// # Errors
/// The kernel's.
pub fn destroy(context: usize) -> Answer {
    // SAFETY: kernel-refuses.
    refused(unsafe { syscall!(libc::SYS_io_destroy, context) })
}

/// `io_submit(2)`
///
/// # Errors
/// The kernel's.
pub fn submit(context: usize, nr: isize, list: usize) -> Answer {
    // SAFETY: kernel-refuses.
    let answer = refused(unsafe { syscall!(libc::SYS_io_submit, context, nr, list) });
    if answer.is_ok() {
        stats::fell_back(Face::Libaio);
    }
    answer
}

/// `io_submit(2)` on a context of the library's that the kernel carries.
///
/// # Errors
/// The kernel's.
#[inline]
pub fn submit_carried(context: usize, nr: isize, list: usize) -> Answer {
    // SAFETY: kernel-refuses.
    let answer = unsafe { syscall!(libc::SYS_io_submit, context, nr, list) };
    if let Ok(count) = answer {
        stats::carried_by_kernel(Face::Libaio, count as u64);
    }
    answer
}

/// `io_cancel(2)`
///
/// # Errors
/// The kernel's.
pub fn cancel(context: usize, iocb: usize, event: usize) -> Answer {
    // SAFETY: kernel-refuses.
    refused(unsafe { syscall!(libc::SYS_io_cancel, context, iocb, event) })
}

/// `io_getevents(2)`
///
/// # Errors
/// The kernel's.
pub fn get_events(context: usize, min: isize, most: isize, events: usize, timeout: usize) -> Answer {
    // SAFETY: kernel-refuses.
    refused(unsafe { syscall!(libc::SYS_io_getevents, context, min, most, events, timeout) })
}

/// `io_pgetevents(2)`
///
/// # Errors
/// The kernel's.
pub fn get_events_masked(
    context: usize,
    min: isize,
    most: isize,
    events: usize,
    timeout: usize,
    mask: usize,
) -> Answer {
    // SAFETY: kernel-refuses.
    refused(unsafe { syscall!(kernel::SYS_IO_PGETEVENTS, context, min, most, events, timeout, mask) })
}

/// Whether the ring at `context` shows that it is empty. libaio looks at it first in a call that must not wait.
pub fn looks_empty(context: usize) -> bool {
    // SAFETY: just seen to be readable.
    context != 0
        && user_access::readable(context, HEADER_BYTES).is_ok()
        && unsafe { HeaderCopy::read(context) }.is_empty()
}
