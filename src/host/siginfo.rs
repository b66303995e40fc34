//! `siginfo_t` of a queued signal, and sending one.

use core::ffi::c_int;

use super::kernel::{self, Errno, syscall};

/// `siginfo_t`, as far as a queued signal fills it.
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

/// Where a signal goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// To this process.
    Process,
    /// To the thread of this process with this id.
    Thread(c_int),
}

/// Queues `signal` with `code` (`si_code`) and `value` (`si_value`), from this process and its user. Async-signal-safe.
///
/// # Errors
/// `EAGAIN`: as many signals are queued as the user may have (`RLIMIT_SIGPENDING`); `EINVAL`: no such signal; `ESRCH`:
/// no such thread.
pub fn queue(target: Target, signal: c_int, code: c_int, value: usize) -> Result<(), Errno> {
    let process = kernel::process_id();
    // SAFETY: takes no arguments.
    let user = unsafe { kernel::call6(libc::SYS_getuid, 0, 0, 0, 0, 0, 0) } as u32;
    let info = SigInfo { signal, errno: 0, code, padding: 0, process, user, value, rest: [0; 12] };
    // SAFETY: reads one siginfo.
    let sent = unsafe {
        match target {
            Target::Process => syscall!(libc::SYS_rt_sigqueueinfo, process, signal, &raw const info),
            Target::Thread(thread) => {
                syscall!(libc::SYS_rt_tgsigqueueinfo, process, thread, signal, &raw const info)
            }
        }
    };
    sent.map(drop)
}

/// Sends a signal to a thread of this process, if it is there still, as the kernel does for what the thread has done.
/// Async-signal-safe.
pub fn raise_in(thread: c_int, signal: c_int) {
    // SAFETY: takes numbers.
    let _ = unsafe { syscall!(libc::SYS_tgkill, kernel::process_id(), thread, signal) };
}

#[cfg(test)]
mod tests {
    use super::{Target, queue};
    use crate::host::kernel::{self, Errno};

    #[test]
    #[cfg_attr(miri, ignore = "it needs the kernel")]
    fn a_queued_signal_carries_its_value() {
        const SI_ASYNCIO: libc::c_int = -4;
        let signal = libc::SIGRTMIN() + 3;
        // SAFETY: structures of this function's; the signal is blocked in this thread, and taken here.
        let (taken, info) = unsafe {
            let mut set: libc::sigset_t = core::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, signal);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, core::ptr::null_mut());
            assert_eq!(queue(Target::Thread(kernel::thread_id()), signal, SI_ASYNCIO, 0x1234), Ok(()));
            let mut info: libc::siginfo_t = core::mem::zeroed();
            (libc::sigwaitinfo(&raw const set, &raw mut info), info)
        };
        assert_eq!((taken, info.si_signo, info.si_code), (signal, signal, SI_ASYNCIO));
        // SAFETY: a queued signal has these.
        let (process, value) = unsafe { (info.si_pid(), info.si_value().sival_ptr.addr()) };
        assert_eq!((process, value), (kernel::process_id(), 0x1234));
        assert_eq!(queue(Target::Thread(kernel::thread_id()), 0x7fff, SI_ASYNCIO, 0), Err(Errno(libc::EINVAL)));
    }
}
