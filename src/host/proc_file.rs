//! Reading a file of the kernel's, such as one in `/proc`, piece by piece, without allocating.

use core::ffi::CStr;

use super::kernel::{self, Errno, syscall};

/// Does `work` with the bytes of the file at `path`, piece by piece, until it answers or the file ends. It makes a
/// descriptor in the calling thread's table meanwhile: see [`run_unseen`](super::raw_thread::run_unseen).
///
/// # Errors
/// What `open` and `read` answer.
pub fn scan<T>(path: &CStr, mut work: impl FnMut(&[u8]) -> Option<T>) -> Result<Option<T>, Errno> {
    // It may be a thread of the program's that looks, on a small stack.
    let mut bytes = [0u8; 512];
    // SAFETY: reads the path; makes a descriptor in this thread's table.
    let fd = unsafe { syscall!(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC, 0) }?;
    let found = loop {
        // SAFETY: writes as many bytes as there are.
        let count = unsafe { syscall!(libc::SYS_read, fd, bytes.as_mut_ptr(), bytes.len()) };
        match count {
            Ok(0) => break Ok(None),
            Ok(count) => {
                if let Some(found) = work(&bytes[..count]) {
                    break Ok(Some(found));
                }
            }
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => break Err(errno),
        }
    };
    kernel::close(fd as i32);
    found
}
