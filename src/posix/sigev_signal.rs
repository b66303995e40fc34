//! `SIGEV_SIGNAL` and `SIGEV_THREAD_ID`: a queued signal with `SI_ASYNCIO`.

use core::ffi::c_int;

use super::sigevent::SigEvent;
use crate::host::kernel::{self, Errno, syscall};
use crate::stats;

/// `si_code` of a signal that tells of asynchronous I/O.
const SI_ASYNCIO: c_int = -4;

/// `siginfo_t`, with the fields of a queued signal.
#[repr(C)]
struct SigInfo {
    signal: c_int,
    errno: c_int,
    code: c_int,
    padding: c_int,
    process: c_int,
    user: u32,
    value: usize,
    rest: [usize; 12],
}

const _: () = assert!(size_of::<SigInfo>() == size_of::<libc::siginfo_t>());

/// Queues the signal.
///
/// # Errors
/// `EAGAIN`: as many signals are queued as the user may have (`RLIMIT_SIGPENDING`); `EINVAL`: no such signal; `ESRCH`: no
/// such thread.
pub fn send(sigevent: &SigEvent) -> Result<(), Errno> {
    let process = kernel::process_id();
    // SAFETY: takes no arguments.
    let user = unsafe { kernel::call6(libc::SYS_getuid, 0, 0, 0, 0, 0, 0) } as u32;
    let info = SigInfo {
        signal: sigevent.signal,
        errno: 0,
        code: SI_ASYNCIO,
        padding: 0,
        process,
        user,
        value: sigevent.value,
        rest: [0; 12],
    };
    // SAFETY: reads one siginfo.
    let sent = unsafe {
        if sigevent.how == libc::SIGEV_THREAD_ID {
            let thread = sigevent.target as c_int;
            syscall!(libc::SYS_rt_tgsigqueueinfo, process, thread, sigevent.signal, &raw const info)
        } else {
            syscall!(libc::SYS_rt_sigqueueinfo, process, sigevent.signal, &raw const info)
        }
    };
    sent.map(|_| stats::notified(stats::Notification::Signal, 1))
}
