//! Why `io_uring_setup` is refused, or there is no ring otherwise, in plain words; and what gives one.

use core::fmt::{Display, Formatter, Result};

use crate::host::kernel::{self, Errno};
use crate::host::{kernel_version, log, proc_file, seccomp};

/// What stands in the way of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The kernel has no io_uring.
    Absent,
    /// `kernel.io_uring_disabled` has this value.
    Disabled(u64),
    /// A seccomp filter answers this call with an error.
    Filtered(&'static str, Errno),
    /// A seccomp filter ends a process that makes this call.
    Killed(&'static str),
    /// A seccomp filter may end the process, and whether it does cannot be found out.
    Untried(Errno),
    /// The kernel says no for another reason: ENOMEM, EMFILE, …
    Kernel(Errno),
    /// It lacks something that we cannot do without.
    Lacks(&'static str),
    /// A list or filter that this process has inherited denies an operation that we cannot do without.
    Restricted(&'static str),
}

const ALLOW: &str = "allow io_uring_setup, io_uring_enter and io_uring_register in its profile or unit";

impl Display for Refused {
    fn fmt(&self, to: &mut Formatter) -> Result {
        match self {
            Self::Absent => to.write_str(
                "this kernel has no io_uring, or was built without it (Linux 5.10 and later can have it)",
            ),
            Self::Disabled(1) => to.write_str(
                "kernel.io_uring_disabled is 1: `sysctl kernel.io_uring_disabled=0` allows io_uring to everybody, \
                 kernel.io_uring_group to one group",
            ),
            Self::Disabled(value) => {
                write!(to, "kernel.io_uring_disabled is {value}: `sysctl kernel.io_uring_disabled=0` allows io_uring")
            }
            Self::Filtered(call, Errno(errno)) => {
                let who = match *errno {
                    libc::EPERM => ", as Docker's default does",
                    libc::ENOSYS => ", as Podman's default does",
                    _ => "",
                };
                write!(to, "a seccomp filter answers {call} with errno {errno}{who}: {ALLOW}")
            }
            Self::Killed(call) => {
                write!(
                    to,
                    "a seccomp filter ends a process that calls {call}, as systemd's SystemCallFilter= does: {ALLOW}"
                )
            }
            Self::Untried(Errno(errno)) => write!(
                to,
                "a seccomp filter is active, and no child process can be started to find out whether it allows io_uring \
                 (errno {errno})"
            ),
            Self::Kernel(Errno(libc::ENOMEM)) => to.write_str(
                "there is no memory for a ring; mostly the limit on locked memory is used up, which counts the rings of \
                 all processes of this user: raise RLIMIT_MEMLOCK (`ulimit -l`, LimitMEMLOCK=)",
            ),
            Self::Kernel(Errno(libc::EPERM)) => {
                to.write_str(
                    "io_uring is forbidden here (EPERM), by neither a seccomp filter nor kernel.io_uring_disabled",
                )
            }
            Self::Kernel(Errno(number)) => write!(to, "io_uring_setup failed with errno {number}"),
            Self::Lacks(what) => write!(to, "this kernel's io_uring lacks {what}"),
            Self::Restricted(what) => write!(
                to,
                "a restriction of io_uring that this process was started with does not allow {what}: allow what \
                 io_uring-operations.json lists (docs/containers.md)"
            ),
        }
    }
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Self {
        Self::Kernel(errno)
    }
}

impl From<std::io::Error> for Refused {
    fn from(error: std::io::Error) -> Self {
        Self::Kernel(Errno(error.raw_os_error().unwrap_or(libc::EIO)))
    }
}

/// Tries the three calls where they can do no harm, if a filter is active.
///
/// # Errors
/// What the filter does.
pub fn try_filter() -> core::result::Result<(), Refused> {
    const CALLS: [(&str, seccomp::Call); 3] = [
        ("io_uring_setup", seccomp::Call { number: libc::SYS_io_uring_setup, arguments: [1, 0] }),
        ("io_uring_enter", seccomp::Call { number: libc::SYS_io_uring_enter, arguments: [usize::MAX >> 1, 0] }),
        ("io_uring_register", seccomp::Call { number: libc::SYS_io_uring_register, arguments: [usize::MAX >> 1, 0] }),
    ];
    if !seccomp::is_active() {
        return Ok(());
    }
    // SAFETY: no parameters, and a descriptor that cannot be: the kernel refuses them all.
    match unsafe { seccomp::try_in_child(&CALLS.map(|(_, call)| call)) } {
        Ok(seccomp::Answer::Ended(place)) => Err(Refused::Killed(CALLS[place.min(2)].0)),
        // How the first one is refused is seen when it is made for good. The others would be seen when it is too late.
        Ok(seccomp::Answer::All(answers)) => {
            let refused = (1..3).find(|&place| answers[place] != Errno(libc::EBADF).negated());
            match refused {
                Some(place) if is_filters(answers[place]) && !is_filters(answers[0]) => {
                    Err(Refused::Filtered(CALLS[place].0, Errno(-answers[place] as i32)))
                }
                _ => Ok(()),
            }
        }
        Err(errno) => Err(Refused::Untried(errno)),
    }
}

/// Whether it is a filter that answers so: for a descriptor that cannot be the kernel answers otherwise.
const fn is_filters(answer: i64) -> bool {
    matches!(-answer as i32, libc::EPERM | libc::ENOSYS | libc::EACCES)
}

/// Why `io_uring_setup` failed with `errno`: for the log alone, without which nothing is read.
pub fn explain(errno: Errno) -> Refused {
    // SAFETY: asks for a number.
    let is_root = unsafe { kernel::call6(libc::SYS_geteuid, 0, 0, 0, 0, 0, 0) } == 0;
    let sysctl = if errno == Errno(libc::EPERM) && log::is_on() { io_uring_disabled() } else { 0 };
    explain_by(errno, seccomp::is_active(), sysctl, is_root, kernel_version::number())
}

fn explain_by(errno: Errno, is_filtered: bool, sysctl: u64, is_root: bool, kernel: [u32; 3]) -> Refused {
    match errno {
        Errno(libc::ENOSYS) if is_filtered && kernel >= [5, 10, 0] => Refused::Filtered("io_uring_setup", errno),
        Errno(libc::ENOSYS) => Refused::Absent,
        // 1 lets in who may administer the machine, and one group.
        Errno(libc::EPERM) if sysctl > 1 || (sysctl == 1 && !(is_root && is_filtered)) => Refused::Disabled(sysctl),
        Errno(libc::EPERM | libc::EACCES) if is_filtered => Refused::Filtered("io_uring_setup", errno),
        _ => Refused::Kernel(errno),
    }
}

/// The value of `kernel.io_uring_disabled`; 0 where there is none. Its descriptor is where the ring's would have been.
fn io_uring_disabled() -> u64 {
    let digit = |bytes: &[u8]| bytes.first().map(|byte| u64::from(byte.wrapping_sub(b'0')));
    proc_file::scan(c"/proc/sys/kernel/io_uring_disabled", digit)
        .ok()
        .flatten()
        .filter(|&value| value <= 9)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Refused, explain_by};
    use crate::host::kernel::Errno;

    #[test]
    fn each_reason_is_told_by_its_own_name() {
        const OLD: [u32; 3] = [4, 18, 0];
        const NEW: [u32; 3] = [6, 1, 0];
        const ENOSYS: Errno = Errno(libc::ENOSYS);
        const EPERM: Errno = Errno(libc::EPERM);
        for (errno, is_filtered, sysctl, is_root, kernel, words) in [
            (ENOSYS, false, 0, false, OLD, "this kernel has no io_uring"),
            (ENOSYS, true, 0, false, OLD, "this kernel has no io_uring"),
            (ENOSYS, false, 0, false, NEW, "built without it"),
            (ENOSYS, true, 0, false, NEW, "Podman"),
            (EPERM, true, 0, false, NEW, "Docker"),
            (EPERM, false, 2, true, NEW, "`sysctl kernel.io_uring_disabled=0`"),
            (EPERM, true, 2, true, NEW, "`sysctl kernel.io_uring_disabled=0`"),
            (EPERM, false, 1, false, NEW, "kernel.io_uring_group"),
            (EPERM, true, 1, false, NEW, "kernel.io_uring_group"),
            (EPERM, true, 1, true, NEW, "Docker"),
            (EPERM, false, 0, false, NEW, "neither a seccomp filter nor"),
            (Errno(libc::EACCES), true, 0, false, NEW, "a seccomp filter answers io_uring_setup with errno 13: allow"),
            (Errno(libc::ENOMEM), true, 0, false, NEW, "RLIMIT_MEMLOCK"),
            (Errno(libc::EMFILE), false, 0, false, NEW, "errno 24"),
        ] {
            let text = explain_by(errno, is_filtered, sysctl, is_root, kernel).to_string();
            assert!(text.contains(words), "{text}");
        }
        for (refused, words) in [
            (Refused::Killed("io_uring_enter"), "ends a process that calls io_uring_enter"),
            (Refused::Untried(EPERM), "no child process"),
            (Refused::Lacks("restrictions (5.10)"), "lacks restrictions"),
            (Refused::Restricted("IORING_OP_WRITE"), "does not allow IORING_OP_WRITE"),
        ] {
            assert!(refused.to_string().contains(words), "{refused}");
        }
    }
}
