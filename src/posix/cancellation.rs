//! Thread cancellation: `aio_suspend` and `lio_listio` are cancellation points, and threads are reset between callbacks.

use core::ffi::c_int;
use core::ptr;
use core::sync::atomic::AtomicU32;

use crate::host::futex::Deadline;
use crate::host::kernel::{Errno, syscall};

unsafe extern "C" {
    fn pthread_testcancel();
    fn pthread_setcanceltype(kind: c_int, before: *mut c_int) -> c_int;
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
}

// pthread.h
const PTHREAD_CANCEL_ENABLE: c_int = 0;
const PTHREAD_CANCEL_DEFERRED: c_int = 0;
const PTHREAD_CANCEL_ASYNCHRONOUS: c_int = 1;

/// A cancellation point that does not wait.
pub fn test_cancel() {
    // SAFETY: where the thread ends here, no frame of the library's holds anything.
    unsafe { pthread_testcancel() };
}

/// Cancellation as a new thread has it: enabled and deferred. A cancellation that is pending ends the thread here.
pub fn reset() {
    // SAFETY: these change the calling thread alone.
    unsafe {
        pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, ptr::null_mut());
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, ptr::null_mut());
    }
    test_cancel();
}

/// Sleeps while `word` is `expected`. A cancellation point: the thread can be cancelled while it sleeps.
///
/// # Errors
/// `ETIMEDOUT`; `EAGAIN`: the word has changed; `EINTR`: a signal handler ran. Without a deadline the kernel restarts the
/// sleep after a handler with `SA_RESTART`, as `aio_suspend` of glibc does (measured) and POSIX asks (sigaction).
pub fn sleep(word: &AtomicU32, expected: u32, deadline: Option<Deadline>) -> Result<(), Errno> {
    let until = deadline.map(Deadline::timespec);
    let until = until.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: the word and the time live for the call.
    with_cancellation(|| unsafe {
        syscall!(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG,
            expected,
            until,
            0,
            u32::MAX
        )
    })
    .map(drop)
}

/// Makes a system call during which the thread can be cancelled.
fn with_cancellation<T>(call: impl FnOnce() -> T) -> T {
    let mut before = 0;
    // SAFETY: while cancellation is asynchronous, the thread makes the system call and nothing else. If it ends there, it
    // leaves nothing behind that another thread needs.
    unsafe {
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &raw mut before);
        let result = call();
        pthread_setcanceltype(before, &raw mut before);
        result
    }
}
