//! `pread`, `pwrite` and their vectored kin as one call.

use core::ffi::c_int;

use super::kernel::{Errno, syscall};

/// "The file's own position": what `read` and `write` use, and streams do not have.
pub const NO_OFFSET: i64 = -1;

/// Reads into the buffers from `offset`, or writes them there. Makes the plain call where it can say what is wanted, for it
/// is cheaper by a tenth, and else the one with vectors and flags.
///
/// # Errors
/// The kernel's; `EFAULT` for bad buffers, which are the program's.
#[inline]
pub fn transfer(writes: bool, fd: c_int, vectors: &[libc::iovec], offset: i64, flags: c_int) -> Result<usize, Errno> {
    let (plain, vectored) =
        if writes { (libc::SYS_pwrite64, libc::SYS_pwritev2) } else { (libc::SYS_pread64, libc::SYS_preadv2) };
    // SAFETY: the kernel answers for bad buffers. The high half of the offset is 0 where registers have 64 bits.
    unsafe {
        match vectors {
            [one] if flags == 0 && offset >= 0 => syscall!(plain, fd, one.iov_base, one.iov_len, offset),
            _ => syscall!(vectored, fd, vectors.as_ptr(), vectors.len(), offset, 0, flags),
        }
    }
}

/// The same; what has no positions says so, and goes on where it is.
///
/// # Errors
/// As for [`transfer`].
pub fn transfer_anywhere(
    writes: bool,
    fd: c_int,
    vectors: &[libc::iovec],
    offset: i64,
    flags: c_int,
) -> Result<usize, Errno> {
    match transfer(writes, fd, vectors, offset, flags) {
        Err(Errno(libc::ESPIPE)) => transfer(writes, fd, vectors, NO_OFFSET, flags),
        answer => answer,
    }
}
