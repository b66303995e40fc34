//! `IOCB_FLAG_IOPRIO`: which I/O priorities a request may have (`ioprio_check_cap` of Linux's block/ioprio.c).

use core::ffi::c_int;

use crate::host::kernel::{Errno, syscall};
use crate::host::scheduling::IOPRIO_WHO_PROCESS;

// linux/ioprio.h
const CLASS_SHIFT: u32 = 13;
const LEVEL_BITS: u16 = 7;
const CLASS_NONE: u16 = 0;
const CLASS_REAL_TIME: u16 = 1;
const CLASS_IDLE: u16 = 3;
/// Bits that are hints since Linux 6.5, and were a part of the level before.
const HINT_BITS: u16 = 0x1ff8;

/// Whether a request may have this priority.
///
/// # Errors
/// `EINVAL`, `EPERM`, as ioprio_set(2).
pub fn check(priority: u16) -> Result<u16, Errno> {
    let (class, level) = (priority >> CLASS_SHIFT, priority & LEVEL_BITS);
    match class {
        CLASS_NONE if level != 0 => Err(Errno(libc::EINVAL)),
        CLASS_REAL_TIME if !may_use_real_time() => Err(Errno(libc::EPERM)),
        CLASS_NONE..=CLASS_IDLE if priority & HINT_BITS == 0 || is_known(priority) => Ok(priority),
        _ => Err(Errno(libc::EINVAL)),
    }
}

/// Whether the running kernel knows such a priority.
fn is_known(priority: u16) -> bool {
    // SAFETY: changes nothing: there is no such thread. The kernel looks at the priority first.
    let answer = unsafe { syscall!(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, c_int::MAX, priority) };
    answer != Err(Errno(libc::EINVAL))
}

/// Whether this thread may give requests real-time priority: `CAP_SYS_ADMIN` or `CAP_SYS_NICE`.
fn may_use_real_time() -> bool {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: c_int,
    }
    #[repr(C)]
    struct Data {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    const VERSION_3: u32 = 0x2008_0522;
    const SYS_ADMIN: u32 = 21;
    const SYS_NICE: u32 = 23;
    let header = Header { version: VERSION_3, pid: 0 };
    let mut data = [const { Data { effective: 0, permitted: 0, inheritable: 0 } }; 2];
    // SAFETY: reads the header and fills the data.
    let asked = unsafe { syscall!(libc::SYS_capget, &raw const header, data.as_mut_ptr()) };
    asked.is_ok() && data[0].effective & (1 << SYS_ADMIN | 1 << SYS_NICE) != 0
}
