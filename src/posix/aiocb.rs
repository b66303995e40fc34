//! glibc's `struct aiocb`, field by field, and the two of its words that tell how a request stands.
//!
//! Source: glibc's `bits/types`, `aio.h`; the layout is the same for `aiocb64` and on every 64-bit machine. The fields
//! that glibc calls `__error_code` and `__return_value` are where `aio_error` and `aio_return` look: the state of a request
//! is in the program's own structure, and nothing has to be looked up.

use core::ffi::c_int;
use core::mem::offset_of;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicI32, AtomicI64, Ordering};

use crate::engine::Kind;

/// The part of a `struct sigevent` that says something.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SigEvent {
    /// `sigev_value`.
    pub value: usize,
    /// `sigev_signo`.
    pub signal: c_int,
    /// `sigev_notify`: how to notify.
    pub how: c_int,
    /// `sigev_notify_function`, or `sigev_notify_thread_id` in the first four bytes.
    pub target: usize,
    /// `sigev_notify_attributes`.
    pub attributes: usize,
}

impl SigEvent {
    /// No notification.
    pub const NONE: Self = Self { value: 0, signal: 0, how: libc::SIGEV_NONE, target: 0, attributes: 0 };

    /// Reads a `struct sigevent`; none where there is none.
    ///
    /// # Safety
    /// `event` is null or points to a `struct sigevent`.
    pub unsafe fn of(event: *const libc::sigevent) -> Self {
        if event.is_null() {
            return Self::NONE;
        }
        // SAFETY: the caller's promise; the fields are the first of the structure.
        unsafe { event.cast::<Self>().read() }
    }

    /// Whether nothing will be sent. A signal 0 is none, and that is what a zeroed structure asks for.
    pub const fn is_silent(&self) -> bool {
        match self.how {
            libc::SIGEV_SIGNAL | libc::SIGEV_THREAD_ID => self.signal == 0,
            libc::SIGEV_THREAD => self.target == 0,
            _ => true,
        }
    }
}

#[repr(C)]
struct Aiocb {
    fd: c_int,
    opcode: c_int,
    priority: c_int,
    address: usize,
    length: usize,
    sigevent: SigEvent,
    rest_of_sigevent: [u64; 4],
    /// glibc's own notes.
    internal: [u64; 2],
    error: AtomicI32,
    result: AtomicI64,
    offset: i64,
    reserved: [u8; 32],
}

const _: () = {
    assert!(size_of::<Aiocb>() == 168 && size_of::<Aiocb>() == size_of::<libc::aiocb>());
    assert!(align_of::<Aiocb>() == align_of::<libc::aiocb>());
    assert!(offset_of!(Aiocb, fd) == offset_of!(libc::aiocb, aio_fildes));
    assert!(offset_of!(Aiocb, opcode) == offset_of!(libc::aiocb, aio_lio_opcode));
    assert!(offset_of!(Aiocb, priority) == offset_of!(libc::aiocb, aio_reqprio));
    assert!(offset_of!(Aiocb, address) == offset_of!(libc::aiocb, aio_buf));
    assert!(offset_of!(Aiocb, length) == offset_of!(libc::aiocb, aio_nbytes));
    assert!(offset_of!(Aiocb, sigevent) == 32 && offset_of!(libc::aiocb, aio_sigevent) == 32);
    assert!(offset_of!(Aiocb, error) == 112);
    assert!(offset_of!(Aiocb, result) == 120);
    assert!(offset_of!(Aiocb, offset) == 128 && offset_of!(libc::aiocb, aio_offset) == 128);
    assert!(size_of::<libc::sigevent>() == 64);
    assert!(offset_of!(SigEvent, value) == offset_of!(libc::sigevent, sigev_value));
    assert!(offset_of!(SigEvent, signal) == offset_of!(libc::sigevent, sigev_signo));
    assert!(offset_of!(SigEvent, how) == offset_of!(libc::sigevent, sigev_notify));
    assert!(offset_of!(SigEvent, target) == offset_of!(libc::sigevent, sigev_notify_thread_id));
};

/// `aio_lio_opcode` of `aio_fsync` requests, which glibc also takes from a list: `LIO_DSYNC` and `LIO_SYNC` of its
/// internal header. Measured: a list entry with 3 or 4 is a sync.
const LIO_DSYNC: c_int = 3;
const LIO_SYNC: c_int = 4;

/// What is asked for: the fields of an aiocb as they were at the call.
#[derive(Clone, Copy, Debug)]
pub struct IoArgs {
    /// What to do.
    pub kind: Kind,
    /// `aio_fildes`.
    pub fd: c_int,
    /// `aio_buf`.
    pub address: usize,
    /// `aio_nbytes`.
    pub length: usize,
    /// `aio_offset`.
    pub offset: i64,
}

/// A program's aiocb, at the address that the program gave.
///
/// It stays valid until the request it stands for is finished: that is what POSIX asks of the program (aio_read: "the
/// aiocbp value … and the memory it points to shall not become illegal addresses prior to asynchronous I/O completion").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AiocbRef(NonNull<Aiocb>);

impl AiocbRef {
    /// The aiocb at `address`, which must be valid as above; none for a null pointer.
    pub fn at(address: *const libc::aiocb) -> Option<Self> {
        NonNull::new(address.cast_mut().cast()).map(Self)
    }

    /// Its address: what names the request.
    pub fn address(self) -> usize {
        self.0.as_ptr().addr()
    }

    /// `aio_fildes`.
    pub fn fd(self) -> c_int {
        // SAFETY: valid by the program's promise.
        unsafe { (&raw const (*self.0.as_ptr()).fd).read() }
    }

    /// What `aio_lio_opcode` asks for: nothing for `LIO_NOP`, an error for an unknown one. glibc looks at seven bits.
    pub fn list_kind(self) -> Result<Option<Kind>, ()> {
        // SAFETY: as above.
        match unsafe { (&raw const (*self.0.as_ptr()).opcode).read() } {
            libc::LIO_NOP => Ok(None),
            opcode => match opcode & 127 {
                libc::LIO_READ => Ok(Some(Kind::Read)),
                libc::LIO_WRITE => Ok(Some(Kind::Write)),
                LIO_DSYNC => Ok(Some(Kind::DataSync)),
                LIO_SYNC => Ok(Some(Kind::Sync)),
                _ => Err(()),
            },
        }
    }

    /// Whether `aio_reqprio` lies in the range that glibc takes: 0 to `AIO_PRIO_DELTA_MAX`, 20.
    pub fn has_sane_priority(self) -> bool {
        // SAFETY: as above.
        (0..=20).contains(&unsafe { (&raw const (*self.0.as_ptr()).priority).read() })
    }

    /// `aio_sigevent`.
    pub fn sigevent(self) -> SigEvent {
        // SAFETY: as above.
        unsafe { (&raw const (*self.0.as_ptr()).sigevent).read() }
    }

    /// Makes `aio_sigevent` say that there is no notification.
    pub fn silence(self) {
        // SAFETY: as above.
        unsafe { (&raw mut (*self.0.as_ptr()).sigevent.how).write(libc::SIGEV_NONE) };
    }

    /// What it asks for, as a request of this kind.
    pub fn args(self, kind: Kind) -> IoArgs {
        let this = self.0.as_ptr();
        // SAFETY: as above.
        unsafe {
            IoArgs {
                kind,
                fd: (&raw const (*this).fd).read(),
                address: (&raw const (*this).address).read(),
                length: (&raw const (*this).length).read(),
                offset: (&raw const (*this).offset).read(),
            }
        }
    }

    /// The request is on its way.
    pub fn begin(self) {
        // Relaxed: handing the request over publishes it.
        self.error_word().store(libc::EINPROGRESS, Ordering::Relaxed);
    }

    /// The request is finished: `result` is a count or `-errno`. The program may free the aiocb from here on.
    pub fn finish(self, result: i64) {
        let (value, error) = if result < 0 { (-1, -result as c_int) } else { (result, 0) };
        // SAFETY: as above. Relaxed: published by the next store.
        unsafe { &(*self.0.as_ptr()).result }.store(value, Ordering::Relaxed);
        // Release pairs with the Acquire of `error`: who sees the end sees the return value and the buffer.
        self.error_word().store(error, Ordering::Release);
    }

    /// `EINPROGRESS`, or how it ended.
    pub fn error(self) -> c_int {
        self.error_word().load(Ordering::Acquire)
    }

    /// The return value, after the end.
    pub fn result(self) -> i64 {
        // SAFETY: as above. Relaxed: whoever knows of the end knows it from `error`.
        unsafe { &(*self.0.as_ptr()).result }.load(Ordering::Relaxed)
    }

    /// Whether the request has not finished yet.
    pub fn is_in_progress(self) -> bool {
        self.error() == libc::EINPROGRESS
    }

    fn error_word<'a>(self) -> &'a AtomicI32 {
        // SAFETY: as above; every access to the word is atomic.
        unsafe { &(*self.0.as_ptr()).error }
    }
}
