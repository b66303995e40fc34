//! What programs that link the library find in `include/uringaio.h`, which is made from this file: functions by which they
//! ask the library about itself, and those that it has beyond the C library's AIO.

use core::ffi::{c_char, c_int};

use libc::{aiocb, sigevent, ssize_t, timespec};

use crate::engine;
use crate::posix::{aiocb as opcodes, extensions, sigevent as sigevents};
use crate::stats::{self, layout::uringaio_counters};

/// The system's own AIO serves, or no AIO call has been made yet; see `uringaio_engine`.
pub const URINGAIO_SYSTEM: c_int = 0;
/// io_uring serves.
pub const URINGAIO_IO_URING: c_int = 1;
/// Threads of the library's own serve.
pub const URINGAIO_THREADS: c_int = 2;

/// The library's version, as `"0.1.0"`. The string is static.
///
/// Thread-safe and async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn uringaio_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Whether uringaio serves this process (1), or the system's own AIO does (0).
///
/// Starts the engine if no AIO call has done so yet. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn uringaio_serves() -> c_int {
    engine::get().is_ok_and(|engines| engines.is_some()).into()
}

/// What serves this process: `URINGAIO_SYSTEM`, `URINGAIO_IO_URING` or `URINGAIO_THREADS`.
///
/// Starts nothing: before the first AIO call of the process the answer is `URINGAIO_SYSTEM`. Thread-safe and async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn uringaio_engine() -> c_int {
    stats::serves()
}

/// Copies the counters of this process, as they are now, to `counters`, and returns the size of what the library has.
///
/// `size` is `sizeof *counters`: a program that was built against another version of the library gets the part that both
/// know, and zeros behind it. Counters only grow. Other threads count meanwhile, so numbers that belong together may differ by
/// what is just happening. Thread-safe and async-signal-safe.
///
/// # Safety
/// `counters` points to `size` bytes, or `size` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uringaio_read_counters(counters: *mut uringaio_counters, size: usize) -> usize {
    let known = size_of::<uringaio_counters>();
    let now = stats::read();
    let common = size.min(known);
    if common > 0 {
        // SAFETY: the caller's promise; `now` is as large as `known`.
        unsafe {
            core::ptr::copy_nonoverlapping((&raw const now).cast::<u8>(), counters.cast::<u8>(), common);
            core::ptr::write_bytes(counters.cast::<u8>().add(common), 0, size - common);
        }
    }
    known
}

/// `aio_readv`, `aio_writev`, `LIO_READV` and `LIO_WRITEV` are there.
pub const URINGAIO_HAS_AIO_READV: c_int = 1;
/// For `aio_lio_opcode` in a list: `LIO_READ` with this bit is `LIO_READV`, `LIO_WRITE` with it `LIO_WRITEV`. FreeBSD's names;
/// the values are the library's own, which mean nothing to the C library.
pub const LIO_VECTORED: c_int = 64;
/// For `aio_lio_opcode` in a list: as `aio_readv`.
pub const LIO_READV: c_int = 64;
/// For `aio_lio_opcode` in a list: as `aio_writev`.
pub const LIO_WRITEV: c_int = 65;

const _: () = assert!(
    LIO_READV == opcodes::LIO_READV && LIO_WRITEV == opcodes::LIO_WRITEV && LIO_VECTORED == opcodes::LIO_VECTORED
);

/// `SIGEV_EVENTFD` and `uringaio_sigevent_eventfd` are there.
pub const URINGAIO_HAS_SIGEV_EVENTFD: c_int = 1;
/// For `sigev_notify`: the end adds one to the count of an eventfd, whose descriptor is in `sigev_signo`. See
/// `uringaio_sigevent_eventfd`.
pub const SIGEV_EVENTFD: c_int = 0x6576_6664;

const _: () = assert!(SIGEV_EVENTFD == sigevents::SIGEV_EVENTFD);

/// Makes `event` ask for a notification by eventfd(2): the end of the request, or of the list, adds one to the count of `fd`.
/// For `aio_sigevent` of an aiocb and for the last argument of `lio_listio`.
///
/// Each request, and each list, that was begun counts exactly once, whatever its end; its status is final before. A count at
/// its limit stays there. The eventfd is taken by `aio_read` and its like: the number may be closed or used again when they
/// have returned. They fail with `EBADF` for a descriptor that is not open, with `EINVAL` for one that is no eventfd, and with
/// `ENOSYS` where the C library's own AIO serves; nothing is begun then. An entry of a list that cannot be begun counts
/// neither for itself nor against the list, whose count comes when the others have ended.
///
/// Does nothing but write to `event`. Thread-safe and async-signal-safe.
///
/// # Safety
/// `event` points to a `struct sigevent`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uringaio_sigevent_eventfd(event: *mut sigevent, fd: c_int) {
    // SAFETY: the caller's promise; zero bytes are a valid one.
    unsafe {
        event.write(core::mem::zeroed());
        (*event).sigev_notify = SIGEV_EVENTFD;
        (*event).sigev_signo = fd;
    }
}

/// `uringaio_deadline` is there.
pub const URINGAIO_HAS_DEADLINE: c_int = 1;
/// `aio_waitcomplete` is there.
pub const URINGAIO_HAS_AIO_WAITCOMPLETE: c_int = 1;

unsafe extern "C" {
    /// Reads into several buffers, asynchronously: `aio_iovcnt` of them, in the `struct iovec` array at `aio_iov`, from
    /// `aio_offset` of `aio_fildes`. As FreeBSD 13 and later have it. In everything else it is `aio_read`: status, result,
    /// order, cancellation, notification. Returns 0.
    ///
    /// The array is copied: it may be freed when the call has returned. The aiocb and the buffers must stay until the request
    /// has ended. Thread-safe.
    ///
    /// Errors: -1 with `errno`, and `aio_error` says the same, where nothing was begun: `EINVAL`: more than `IOV_MAX` (1024)
    /// buffers, a length above `SSIZE_MAX`, or `aio_reqprio` outside 0 to 20; `EFAULT`: the array cannot be read, or a buffer
    /// is no memory that a program can have; `EAGAIN`: memory or threads are out; `ENOSYS`: the C library's own AIO serves
    /// (`uringaio_serves`). All other errors are the request's result.
    pub fn aio_readv(request: *mut aiocb) -> c_int;

    /// Writes from several buffers, as `aio_readv` reads into them.
    pub fn aio_writev(request: *mut aiocb) -> c_int;

    /// Gives a request that was begun a deadline, `timeout` from now by `CLOCK_MONOTONIC`. When its time is over the request is
    /// stopped as `aio_cancel` stops it: `aio_error` gives `ETIMEDOUT`, `aio_return` -1, its notification is sent, and its
    /// buffers are not touched from then on. Returns 0, also where the request has ended.
    ///
    /// What cannot be stopped ends with its own result, which may come later: what a disk or a file server is at work on, and
    /// a transfer of which a pipe, socket or terminal has moved a part. What waits can be stopped: for bytes or room, for its
    /// turn, for other requests (`aio_fsync`).
    ///
    /// A later call replaces the deadline, one with a null `timeout` removes it, and with `{ 0, 0 }` the request is stopped at
    /// once. Each call costs a message to another thread and back; a deadline costs no more until it comes. Of the aiocb only
    /// the address is used: it may be that of a request that has ended.
    ///
    /// Thread-safe.
    ///
    /// Errors: -1 with `errno`: `EINVAL`: a time that is negative or whose nanoseconds are not below a thousand million, or
    /// `request` is null; `EAGAIN`: memory or threads are out; `ENOSYS`: the C library's own AIO serves.
    pub fn uringaio_deadline(request: *mut aiocb, timeout: *const timespec) -> c_int;

    /// Waits for the next request of the process that ends, and returns its result as `aio_return` does: a count, or -1 with
    /// the request's error in `errno`. `*request` is then its aiocb; where no request is told of, a null pointer. As FreeBSD
    /// has it. Requests come in the order in which they ended, each once; one whose result `aio_return` gave before does not
    /// come. It serves as `aio_return`.
    ///
    /// `timeout` limits the wait; with `{ 0, 0 }` there is none, and without it (null) the wait has no end, also where no
    /// request is outstanding.
    ///
    /// Ends are noted from the beginning in a program that is linked with this function, or that starts with a library that
    /// is. In others (`dlsym`, plug-ins, `liburingaio.a`) they are from the first call on, which also learns of the requests
    /// that are outstanding then: call it once with `{ 0, 0 }` before the first request. Ends that are never asked for, by
    /// this function or `aio_return`, keep 48 bytes each.
    ///
    /// Thread-safe and async-signal-safe; a cancellation point.
    ///
    /// Errors: -1 with a null `*request`: `EAGAIN`: the time is over; `EINTR`: a signal handler ran, without a time limit one
    /// without `SA_RESTART`; `EINVAL`: a time that is negative or whose nanoseconds are not below a thousand million, or
    /// `request` is null; `ENOSYS`: the C library's own AIO serves.
    pub fn aio_waitcomplete(request: *mut *mut aiocb, timeout: *mut timespec) -> ssize_t;
}

// What is declared is what there is.
const _: [unsafe extern "C" fn(*mut aiocb) -> c_int; 4] =
    [aio_readv, aio_writev, extensions::aio_readv, extensions::aio_writev];
const _: [unsafe extern "C" fn(*mut *mut aiocb, *mut timespec) -> ssize_t; 2] =
    [aio_waitcomplete, extensions::aio_waitcomplete];
const _: [unsafe extern "C" fn(*mut aiocb, *const timespec) -> c_int; 2] =
    [uringaio_deadline, extensions::uringaio_deadline];
