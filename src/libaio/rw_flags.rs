//! `aio_rw_flags`: which `RWF_*` flags the running kernel takes for a file (`kiocb_set_rw_flags` of linux/fs.h).

use core::ffi::c_int;

use crate::host::file_info::{self, BEYOND_ALL_FILES, refusal};
use crate::host::kernel::Errno;
use crate::submission::fd_cache::FdInfo;

/// No SIGPIPE (linux/fs.h).
pub const RWF_NOSIGNAL: c_int = 0x100;

/// Checks the flags of a read or write.
///
/// # Errors
/// `EOPNOTSUPP`, `EINVAL`, `EPERM`.
pub fn check(fd: c_int, file: FdInfo, writes: bool, flags: c_int) -> Result<(), Errno> {
    const SIMPLE: c_int = libc::RWF_HIPRI | libc::RWF_DSYNC | libc::RWF_SYNC | libc::RWF_APPEND;
    const KNOWN: c_int =
        SIMPLE | libc::RWF_NOWAIT | libc::RWF_NOAPPEND | libc::RWF_ATOMIC | libc::RWF_DONTCACHE | RWF_NOSIGNAL;
    if flags & !SIMPLE == 0 {
        return Ok(());
    }
    if flags & !KNOWN != 0 {
        return Err(Errno(libc::EOPNOTSUPP));
    }
    let contradicts = flags & libc::RWF_APPEND != 0 && flags & libc::RWF_NOAPPEND != 0;
    // What has no bytes, such as a directory, cannot be asked: preadv2 refuses every flag there, as the kernel's AIO does not.
    if !file.seeks() && !file.streams() {
        let refused = flags & (libc::RWF_NOWAIT | libc::RWF_ATOMIC | libc::RWF_DONTCACHE) != 0;
        return match (contradicts, refused) {
            (true, _) => Err(Errno(libc::EINVAL)),
            (false, true) => Err(Errno(libc::EOPNOTSUPP)),
            (false, false) => Ok(()),
        };
    }
    if contradicts {
        // A kernel that does not know the second flag (before 6.9) refuses that first.
        let number = if file.reads() { libc::SYS_preadv2 } else { libc::SYS_pwritev2 };
        let unknown = refusal(number, fd, BEYOND_ALL_FILES, libc::RWF_NOAPPEND) == Some(Errno(libc::EOPNOTSUPP));
        return Err(Errno(if unknown { libc::EOPNOTSUPP } else { libc::EINVAL }));
    }
    if flags & libc::RWF_ATOMIC != 0 && (!writes || !(file.writes() || file_info::writes_atomically(fd))) {
        return Err(Errno(libc::EOPNOTSUPP));
    }
    // Asking would wait on a stream; there the request itself finds out. No stream has a page cache, or writes all or nothing.
    if file.streams() {
        let refused = flags & (libc::RWF_ATOMIC | libc::RWF_DONTCACHE) != 0;
        return if refused { Err(Errno(libc::EOPNOTSUPP)) } else { Ok(()) };
    }
    if file.reads() {
        let refused = refusal(libc::SYS_preadv2, fd, BEYOND_ALL_FILES, flags & !libc::RWF_ATOMIC);
        if refused == Some(Errno(libc::EOPNOTSUPP)) || refused == Some(Errno(libc::EPERM)) {
            return refused.map_or(Ok(()), Err);
        }
    }
    let for_writing = flags & !libc::RWF_NOWAIT & !SIMPLE;
    // The kernel looks at flags before the direction: a file that cannot be read is asked as if for a write.
    if (writes || !file.reads()) && file.writes() && for_writing != 0 {
        let refused = refusal(libc::SYS_pwritev2, fd, 0, for_writing);
        // EPERM for a seal is about the write itself, and belongs into the event.
        let is_append_only = || file_info::is_append_only(fd);
        if refused == Some(Errno(libc::EOPNOTSUPP)) || (refused == Some(Errno(libc::EPERM)) && is_append_only()) {
            return refused.map_or(Ok(()), Err);
        }
    }
    Ok(())
}

/// The result of a write of no bytes with `RWF_NOWAIT`: pwritev2(2) does not ask the file system, the kernel's AIO does.
#[cold]
pub fn empty_nowait_write(fd: c_int) -> i64 {
    match refusal(libc::SYS_pwritev2, fd, 0, libc::RWF_NOWAIT) {
        Some(errno @ Errno(libc::EOPNOTSUPP)) => errno.negated(),
        _ => 0,
    }
}
