//! `struct aiocb`: what a request asks for, and the two words that hold its state.
//!
//! The layout is that of glibc's aio.h; it is the same for `aiocb64` and on every 64-bit machine. `aio_error` and
//! `aio_return` read the fields that glibc calls `__error_code` and `__return_value`: all state of a request is in the
//! program's own structure, and nothing has to be looked up.

use core::ffi::c_int;
use core::mem::offset_of;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicI32, AtomicI64, AtomicU64, Ordering};

use super::sigevent::SigEvent;
use crate::engine::Kind;

#[repr(C)]
struct Aiocb {
    fd: c_int,
    opcode: c_int,
    priority: c_int,
    address: usize,
    length: usize,
    sigevent: SigEvent,
    rest_of_sigevent: [u64; 4],
    /// For glibc's own use; here the name of the request among those that [`super::completed`] notes.
    ticket: [AtomicU64; 2],
    error: AtomicI32,
    result: AtomicI64,
    offset: i64,
    /// For glibc's later use; here the time and the number of the deadline, see [`super::deadline_timer`].
    deadline: [AtomicU64; 2],
    reserved: [u8; 16],
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
};

/// `aio_lio_opcode` of a sync. glibc takes the opcodes of its internal header from a list, too (measured).
const LIO_DSYNC: c_int = 3;
/// See [`LIO_DSYNC`].
const LIO_SYNC: c_int = 4;

/// `LIO_READV` and `LIO_WRITEV` of uringaio.h: LIO_READ and LIO_WRITE with a bit that makes them unknown to glibc.
pub const LIO_READV: c_int = LIO_VECTORED | libc::LIO_READ;
/// See [`LIO_READV`].
pub const LIO_WRITEV: c_int = LIO_VECTORED | libc::LIO_WRITE;
/// See [`LIO_READV`].
pub const LIO_VECTORED: c_int = 64;

/// glibc looks at these bits of the `aio_lio_opcode` of reads and writes.
const OPCODE_BITS: c_int = 127;

/// `AIO_PRIO_DELTA_MAX` of glibc.
const MAX_PRIORITY: c_int = 20;

/// The fields of an aiocb that say what to do, as they were at the call.
#[derive(Clone, Copy, Debug)]
pub struct IoArgs {
    /// What to do.
    pub kind: Kind,
    /// `aio_fildes`.
    pub fd: c_int,
    /// `aio_buf`, or `aio_iov`.
    pub address: usize,
    /// `aio_nbytes`, or `aio_iovcnt`.
    pub length: usize,
    /// `aio_offset`.
    pub offset: i64,
}

/// What `aio_lio_opcode` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListEntry {
    /// `LIO_NOP`.
    Nop,
    /// A request.
    Request(Kind),
    /// No known opcode.
    Unknown,
}

/// Names a request: the number of its entry plus 1, and which use of the entry it is. Where no request was noted, anything.
#[derive(Clone, Copy, Debug)]
pub struct Ticket {
    /// The number plus 1.
    pub number: u64,
    /// The use.
    pub turn: u64,
}

/// A program's aiocb.
///
/// **`aiocb-stays`**: the pointer is valid until the request is finished. POSIX asks this of the program (aio_read: "the
/// aiocbp value … and the memory it points to shall not become illegal addresses prior to asynchronous I/O completion").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AiocbRef(NonNull<Aiocb>);

impl AiocbRef {
    /// The aiocb at `address`, with `aiocb-stays`; none for a null pointer.
    pub fn at(address: *const libc::aiocb) -> Option<Self> {
        NonNull::new(address.cast_mut().cast()).map(Self)
    }

    /// Its address, which names the request.
    pub fn address(self) -> usize {
        self.0.as_ptr().addr()
    }

    /// `aio_fildes`.
    pub fn fd(self) -> c_int {
        // SAFETY: aiocb-stays.
        unsafe { (&raw const (*self.0.as_ptr()).fd).read() }
    }

    /// `aio_lio_opcode`.
    pub fn list_entry(self) -> ListEntry {
        // SAFETY: aiocb-stays.
        let opcode = unsafe { (&raw const (*self.0.as_ptr()).opcode).read() };
        match opcode {
            libc::LIO_NOP => ListEntry::Nop,
            LIO_DSYNC => ListEntry::Request(Kind::DataSync),
            LIO_SYNC => ListEntry::Request(Kind::Sync),
            _ => match opcode & OPCODE_BITS {
                libc::LIO_READ => ListEntry::Request(Kind::Read),
                libc::LIO_WRITE => ListEntry::Request(Kind::Write),
                LIO_READV => ListEntry::Request(Kind::ReadVector),
                LIO_WRITEV => ListEntry::Request(Kind::WriteVector),
                _ => ListEntry::Unknown,
            },
        }
    }

    /// Whether glibc accepts `aio_reqprio`. Of a sync it takes no notice.
    pub fn has_valid_priority(self) -> bool {
        // SAFETY: aiocb-stays.
        (0..=MAX_PRIORITY).contains(&unsafe { (&raw const (*self.0.as_ptr()).priority).read() })
    }

    /// `aio_sigevent`.
    pub fn sigevent(self) -> SigEvent {
        // SAFETY: aiocb-stays.
        unsafe { (&raw const (*self.0.as_ptr()).sigevent).read() }
    }

    /// Sets `aio_sigevent` to `SIGEV_NONE`.
    pub fn silence(self) {
        // SAFETY: aiocb-stays.
        unsafe { (&raw mut (*self.0.as_ptr()).sigevent.how).write(libc::SIGEV_NONE) };
    }

    /// What it asks for, as a request of this kind.
    pub fn args(self, kind: Kind) -> IoArgs {
        let this = self.0.as_ptr();
        // SAFETY: aiocb-stays.
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

    /// The request is in progress from here on, without a deadline. `aio_return` gives 0 until it ends, as with glibc.
    pub fn begin(self) {
        self.set_deadline((0, 0));
        // SAFETY: aiocb-stays. Relaxed: as below.
        unsafe { &(*self.0.as_ptr()).result }.store(0, Ordering::Relaxed);
        // Relaxed: the submission of the request publishes it.
        self.error_word().store(libc::EINPROGRESS, Ordering::Relaxed);
    }

    /// The request is finished: `result` is a count or `-errno`. The program may free the aiocb at once.
    pub fn finish(self, result: i64) {
        let (value, error) = if result < 0 { (-1, -result as c_int) } else { (result, 0) };
        // SAFETY: aiocb-stays. Relaxed: published by the next store.
        unsafe { &(*self.0.as_ptr()).result }.store(value, Ordering::Relaxed);
        // Release pairs with the Acquire in `error`: a thread that sees the end sees the return value and the buffer.
        self.error_word().store(error, Ordering::Release);
    }

    /// `EINPROGRESS`, or how the request ended.
    pub fn error(self) -> c_int {
        // Acquire pairs with the Release in `finish`.
        self.error_word().load(Ordering::Acquire)
    }

    /// The return value, once `error` has shown that the request is finished.
    pub fn result(self) -> i64 {
        // SAFETY: aiocb-stays. Relaxed: ordered by the Acquire in `error`.
        unsafe { &(*self.0.as_ptr()).result }.load(Ordering::Relaxed)
    }

    /// Whether the request has not finished yet.
    pub fn is_in_progress(self) -> bool {
        self.error() == libc::EINPROGRESS
    }

    /// What [`AiocbRef::set_ticket`] has stored, or anything.
    pub fn ticket(self) -> Ticket {
        // SAFETY: aiocb-stays; every access to these words is atomic. Relaxed: what they name has its own order.
        let [number, turn] = unsafe { &(*self.0.as_ptr()).ticket };
        Ticket { number: number.load(Ordering::Relaxed), turn: turn.load(Ordering::Relaxed) }
    }

    /// Names the request, which has not ended.
    pub fn set_ticket(self, ticket: Ticket) {
        // SAFETY: as above.
        let [number, turn] = unsafe { &(*self.0.as_ptr()).ticket };
        number.store(ticket.number, Ordering::Relaxed);
        turn.store(ticket.turn, Ordering::Relaxed);
    }

    /// The time and the number of its deadline; a time of 0 is none. Of a request that is outstanding.
    pub fn deadline(self) -> (u64, u64) {
        // SAFETY: aiocb-stays. Relaxed: after the submission the engine's thread alone uses these words.
        let [time, number] = unsafe { &(*self.0.as_ptr()).deadline };
        (time.load(Ordering::Relaxed), number.load(Ordering::Relaxed))
    }

    /// Sets its deadline.
    pub fn set_deadline(self, (at, which): (u64, u64)) {
        // SAFETY: as above.
        let [time, number] = unsafe { &(*self.0.as_ptr()).deadline };
        time.store(at, Ordering::Relaxed);
        number.store(which, Ordering::Relaxed);
    }

    fn error_word<'a>(self) -> &'a AtomicI32 {
        // SAFETY: aiocb-stays; every access to the word is atomic.
        unsafe { &(*self.0.as_ptr()).error }
    }
}
