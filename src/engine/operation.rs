//! One piece of I/O on its way through the engine: what a face asks for, and what it is told in the end.

use core::ffi::c_int;
use core::ptr::{self, NonNull};
use core::sync::atomic::AtomicPtr;

use super::inbox::Node;
use super::wake_batch::{Number, WakeBatch};
use crate::host::descriptors;
use crate::host::kernel::Errno;
use crate::stats::{Action, Face};

/// The most bytes that `read(2)` and its kin move at once, `MAX_RW_COUNT` of the kernel.
pub const MAX_RW_BYTES: usize = 0x7fff_f000;

/// The result of an operation that was stopped.
pub const CANCELED: i64 = Errno(libc::ECANCELED).negated();

/// How a worker's copy of an operation ends if the program has closed the descriptor before the worker had the file. The
/// kernel knows no such error.
pub(super) const TOO_LATE: Errno = Errno(4095);

/// See [`Operation::device`].
pub const NO_DEVICE: u8 = u8::MAX;

/// What is to be done with the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Read into one buffer.
    Read,
    /// Write from one buffer.
    Write,
    /// Read into several buffers: `address` is an iovec array, `length` counts its entries.
    ReadVector,
    /// Write from several buffers.
    WriteVector,
    /// Make everything written to the file durable.
    Sync,
    /// Make the file's data durable, and of its metadata what is needed to read it.
    DataSync,
    /// Wait until one of `events` is true of the file; the result is what is true.
    Poll,
    /// Nothing: `finish` is called by the engine's thread, with result 0.
    Nop,
}

impl Kind {
    /// Whether it moves bytes from or to buffers of the program's.
    #[must_use]
    pub const fn is_transfer(self) -> bool {
        matches!(self, Self::Read | Self::Write | Self::ReadVector | Self::WriteVector)
    }

    /// Whether it moves bytes to the file.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(self, Self::Write | Self::WriteVector)
    }

    /// Whether it has several buffers.
    #[must_use]
    pub const fn has_vector(self) -> bool {
        matches!(self, Self::ReadVector | Self::WriteVector)
    }

    /// Under which heading it is counted; a nop is not.
    #[must_use]
    pub const fn action(self) -> Option<Action> {
        Some(match self {
            Self::Read => Action::Read,
            Self::Write => Action::Write,
            Self::ReadVector => Action::ReadVector,
            Self::WriteVector => Action::WriteVector,
            Self::Sync => Action::Sync,
            Self::DataSync => Action::DataSync,
            Self::Poll => Action::Poll,
            Self::Nop => return None,
        })
    }
}

/// What must not overtake what, decided by the face when it submits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Nothing: the kernel may run it beside any other.
    Free,
    /// Runs beside any other, but a later [`Order::Barrier`] on the same file waits for it.
    Counted,
    /// Reads of a stream, one after another in the order of submission.
    Reading,
    /// Writes to a stream, or appending writes, one after another in the order of submission.
    Writing,
    /// Waits for everything submitted earlier to the same engine on the same file; what comes later need not wait for it.
    Barrier,
    /// The same, for the workers, which wait also for what io_uring has of the file.
    BarrierEverywhere,
}

/// What a face does with a result. Called once for each operation, by a thread of the library, which does not touch the
/// operation afterwards: it may be freed or submitted again. The result is a count or the like, or `-errno`.
///
/// It must not block, and it wakes waiters through [`WakeBatch`], so that many completions cost few wakes.
pub type Finish = unsafe fn(operation: NonNull<Operation>, result: i64, wakes: &mut WakeBatch);

/// A structure of a face around an operation, so that the engine's pointer is the structure's.
///
/// # Safety
/// It is `repr(C)` with the operation as its first field, and each operation whose [`Finish`] is passed to
/// [`AroundOperation::around`] is the first field of one.
pub unsafe trait AroundOperation: Sized {
    /// What an engine is given.
    fn operation(this: NonNull<Self>) -> NonNull<Operation> {
        // For `around`.
        this.as_ptr().expose_provenance();
        this.cast()
    }

    /// The structure of an operation that [`AroundOperation::operation`] gave.
    fn of(operation: NonNull<Operation>) -> NonNull<Self> {
        operation.cast()
    }

    /// The structure around an outstanding operation, if this is the operation's [`Finish`].
    fn around(operation: &Operation, finish: Finish) -> Option<&Self> {
        let is_one = ptr::fn_addr_eq(operation.finish, finish);
        // SAFETY: the promise of the trait; it is alive as long as the operation is outstanding. `operation` exposed its
        // provenance when it was submitted.
        is_one.then(|| unsafe { &*ptr::with_exposed_provenance(ptr::from_ref(operation).addr()) })
    }
}

/// Where an operation stands. The thread that runs the reactor alone reads and writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Held back by order, or for want of room in the device.
    Held,
    /// With the device.
    Issued,
    /// A barrier of the workers', whose [stand-in](super::stand_in) is with the engine on io_uring.
    AwaitsUring,
    /// It is a stand-in.
    StandIn,
    /// With a worker of the other engine, which does it again. It comes back by the inbox, with its result in `offset`.
    WithWorker,
    /// It has its result, and no place in the order any more. The device may still have to close its file.
    Ending,
}

/// What has become of an operation since the engine took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum History {
    /// Nothing: its descriptor is still the same file's, because a close waits until the engine has taken what was submitted.
    New,
    /// It was held back or issued; the descriptor may be another file's by now.
    Waited,
    /// Besides, io_uring has given an answer that was not for the program, and it was issued again.
    Retried,
}

/// In [`Operation::events`]: the file says in both ways that there are bytes or room (`POLLIN` and `POLLRDNORM`), to those
/// who wait for one of them.
pub const TELLS_BOTH: u32 = 1 << 16;

/// In [`Operation::events`] of a write: [`Operation::tries_without_waiting`].
const WITHOUT_WAITING: u32 = 1 << 31;

/// In [`Operation::events`] of a write to a stream: nobody reads any more, and a plain call would have sent `SIGPIPE`.
const BROKEN: u32 = 1 << 30;

/// One piece of I/O. A face embeds it as the first field of a structure of its own and gets that back in [`Finish`].
///
/// What every operation needs comes first and fills one cache line.
///
/// From its submission until [`Finish`] is called, the thread that runs the engine's reactor alone touches it; it is
/// valid as long. SAFETY comments call that *reactor-owned*.
#[repr(C)]
pub struct Operation {
    /// The next in whichever list holds it: the inbox's, or one of the engine's queues.
    pub(super) link: AtomicPtr<Operation>,
    /// Called when it is done.
    pub finish: Finish,
    /// The buffer, or a copy of the iovec array that is the engine's to change. Must stay until the operation is
    /// finished.
    pub address: usize,
    /// Bytes, or entries of the array.
    pub length: usize,
    /// Position in a seekable file, in bytes, not negative; 0 for a stream.
    pub offset: i64,
    /// When it was submitted, if it is timed; see [`crate::stats::stamp`].
    pub(super) stamp: u64,
    /// The descriptor. It need only be open until [`Engine::settle`](super::Engine::settle) has returned.
    pub fd: c_int,
    /// `RWF_*` flags of `preadv2(2)`.
    pub rw_flags: c_int,
    /// What to do.
    pub kind: Kind,
    /// The face that made it, for the counters alone.
    pub face: Face,
    /// What must not overtake it.
    pub order: Order,
    /// Whether it is a stream that was opened with `O_NONBLOCK`: then `EAGAIN` is an answer, not a reason to try again.
    pub nonblocking: bool,
    /// Whether the face has moved some of its bytes already: then it is not stopped any more, as if nothing had
    /// happened.
    pub partially_done: bool,
    /// Whether an engine made it for a purpose of its own; it is not counted.
    pub(super) is_internal: bool,
    /// What has become of it since the engine took it.
    pub(super) history: History,
    /// The error that it ends with if it is stopped, where a command tried that; 0 otherwise.
    pub(super) stop_error: u8,

    /// The file's [identity](crate::host::file_info::FileInfo::identity); it may be 0 if the order is [`Order::Free`].
    pub file: u64,
    /// Bytes that a worker has already moved, of a stream.
    pub(super) moved: usize,
    /// What the workers know it by, while it is issued; its stand-in, while it awaits io_uring; when it was issued to io_uring, if
    /// it is timed.
    pub(super) handle: *const (),
    /// Holds the file itself, so that the number may be closed and reused.
    pub(super) held: Option<super::fixed_files::FixedFile>,
    /// Hold the eventfds.
    pub(super) held_eventfds: [Option<super::fixed_files::FixedFile>; 2],
    /// Which generation of its file it was counted in.
    pub(super) generation: u32,
    /// The descriptor's generation when the engine took it.
    pub(super) fd_generation: u32,
    /// Its index among the engine's outstanding operations.
    pub(super) place: u32,
    /// For [`Kind::Poll`]: the events, and [`TELLS_BOTH`]. For a write: 0, or [`WITHOUT_WAITING`]; to a stream the id of the
    /// [thread that is told](Operation::told_by_sigpipe) if nobody reads, and [`BROKEN`].
    pub events: u32,
    /// The eventfds that its face may signal when it is done, by [`super::Eventfd`]; -1: none. The engine holds their files from
    /// acceptance on.
    pub eventfds: [c_int; 2],
    /// `ioprio_set(2)` value, 0 for the thread's own.
    pub priority: u16,
    pub(super) stage: Stage,
    /// Which device it is on, if its time is of interest: to [`super::device_times`], with io_uring; to [`super::read_times`], with
    /// the workers, of a read that cannot be tried. [`NO_DEVICE`] otherwise.
    pub device: u8,
}

const _: () = assert!(size_of::<Operation>() == 128, "two cache lines");

// SAFETY: the link is a field, and operations are aligned to 8.
unsafe impl Node for Operation {
    fn link(&self) -> &AtomicPtr<Self> {
        &self.link
    }
}

impl Operation {
    /// An operation that does nothing yet.
    #[must_use]
    pub const fn new(kind: Kind, fd: c_int, finish: Finish) -> Self {
        Self {
            link: AtomicPtr::new(core::ptr::null_mut()),
            kind,
            face: Face::Posix,
            order: Order::Free,
            fd,
            address: 0,
            length: 0,
            offset: 0,
            rw_flags: 0,
            priority: 0,
            events: 0,
            file: 0,
            nonblocking: false,
            device: NO_DEVICE,
            partially_done: false,
            is_internal: false,
            history: History::New,
            stop_error: 0,
            eventfds: [-1; 2],
            finish,
            stage: Stage::Held,
            moved: 0,
            held: None,
            held_eventfds: [None; 2],
            generation: 0,
            fd_generation: 0,
            place: 0,
            stamp: 0,
            handle: core::ptr::null(),
        }
    }

    /// How it ends if its descriptor was closed before its file was held.
    pub(super) const fn gone(&self) -> Errno {
        if self.is_internal { TOO_LATE } else { Errno(libc::EBADF) }
    }

    /// Its eventfds by their numbers, where those are still the program's.
    pub(super) fn eventfd_numbers(&self) -> [Number; 2] {
        self.eventfds.map(|fd| (fd, descriptors::generation(fd)))
    }

    /// The descriptor's [generation](descriptors::generation) when the engine took it: tells operations on
    /// a number from those on its namesake.
    #[must_use]
    pub const fn fd_generation(&self) -> u32 {
        self.fd_generation
    }

    /// Whether issuing it again reaches the file it was submitted for.
    pub(super) fn has_its_file(&self) -> bool {
        self.held.is_some() || self.has_its_number()
    }

    /// Whether the descriptor still names the file that it was submitted for.
    pub(super) fn has_its_number(&self) -> bool {
        self.history == History::New || descriptors::generation(self.fd) == self.fd_generation
    }

    /// Has io_uring do a write only as far as that need not wait, if it `is_cached`, through the page cache of a regular file: a
    /// worker of the library's does what has to. A thread of the kernel's would hold the file for a moment after the
    /// completion. Not on block devices: those may answer `-EAGAIN` after the descriptor was closed, when no worker finds the
    /// file any more; what a file system cannot do without waiting it says while it is asked. And not with `O_DIRECT`, where
    /// what lengthens a file would take longer by half.
    pub const fn try_without_waiting(&mut self, is_cached: bool) {
        if self.kind.writes() && is_cached && self.rw_flags & libc::RWF_NOWAIT == 0 {
            self.events = WITHOUT_WAITING;
        }
    }

    /// Whether io_uring is to do it only if that need not wait.
    pub(super) const fn tries_without_waiting(&self) -> bool {
        self.events & WITHOUT_WAITING != 0 && self.kind.writes()
    }

    /// It may wait.
    pub(super) const fn may_wait(&mut self) {
        if self.kind.writes() {
            self.events &= !WITHOUT_WAITING;
        }
    }

    /// Has [`Operation::told_by_sigpipe`] give this thread, should the write to a stream find that nobody reads.
    pub const fn tell_by_sigpipe(&mut self, thread: c_int) {
        self.events = thread as u32;
    }

    /// The write has found that nobody reads.
    pub(super) const fn note_broken(&mut self) {
        self.events |= BROKEN;
    }

    /// The thread to which the kernel would have sent `SIGPIPE`, had it made the write itself.
    #[must_use]
    pub const fn told_by_sigpipe(&self) -> Option<c_int> {
        let thread = self.events & !BROKEN;
        if self.kind.writes() && self.events & BROKEN != 0 && thread != 0 { Some(thread as c_int) } else { None }
    }

    /// The bytes of its buffers, as far as one call moves them.
    pub(super) fn bytes(&self) -> usize {
        if !self.kind.has_vector() {
            return self.length.min(MAX_RW_BYTES);
        }
        let first = core::ptr::with_exposed_provenance::<libc::iovec>(self.address);
        // SAFETY: `address` and `length` are the face's copy of the array, which stays as long as the operation.
        let vectors = unsafe { core::slice::from_raw_parts(first, self.length) };
        vectors.iter().fold(0usize, |total, vector| total.saturating_add(vector.iov_len)).min(MAX_RW_BYTES)
    }

    /// What a poll is registered for: what it asked for, in both ways where the file tells both; and that no more bytes come, which
    /// tells a wake-up by that from one by bytes.
    pub(super) const fn awaited(&self) -> u32 {
        const BYTES: u32 = (libc::POLLIN | libc::POLLRDNORM) as u32;
        const END: u32 = libc::POLLRDHUP as u32;
        const ROOM: u32 = (libc::POLLOUT | libc::POLLWRNORM) as u32;
        let (tells_both, events) = (self.events & TELLS_BOTH != 0, self.events & !TELLS_BOTH);
        let bytes = if tells_both && events & BYTES != 0 { BYTES | END } else { 0 };
        let room = if tells_both && events & ROOM != 0 { ROOM } else { 0 };
        events | bytes | room
    }

    /// What a poll that had to wait tells of what was found: what it asked for, errors and the end. Where it was woken
    /// by bytes or room, the kernel's AIO tells all that the wake-up says (fs/aio.c, aio_poll_wake): both ways on pipes
    /// and sockets; an inotify or an epoll descriptor says nothing. 0: nothing that it waits for.
    pub(super) const fn told(&self, found: u32) -> u32 {
        let asked = found & (self.events | (libc::POLLERR | libc::POLLHUP) as u32);
        let ends = found & (libc::POLLERR | libc::POLLHUP | libc::POLLRDHUP) as u32 != 0;
        if asked == 0 || ends { asked } else { found & self.awaited() }
    }

    /// Moves the beginning of its buffers by `bytes`. Whether there is anything left.
    pub fn skip(&mut self, bytes: usize) -> bool {
        // SAFETY: `address` and `length` are the face's copy of the array, which is the engine's to change.
        unsafe { advance(self.kind, &mut self.address, &mut self.length, bytes) }
    }
}

/// Ends an operation of which no device holds anything: its eventfds are signalled by their numbers.
///
/// # Safety
/// The caller has the operation, which was not finished, and gives it up.
pub(super) unsafe fn finish_unheld(
    operation: NonNull<Operation>,
    result: i64,
    eventfds: [Number; 2],
    wakes: &mut WakeBatch,
) {
    // SAFETY: the caller's promise.
    let finish = unsafe { operation.as_ref() }.finish;
    // SAFETY: called once, with what the face submitted.
    wakes.with_unheld(eventfds, |wakes| unsafe { finish(operation, result, wakes) });
}

/// Moves the beginning of an operation's buffers by `bytes`. Whether there is anything left.
///
/// # Safety
/// Where `kind` has a vector, `address` and `length` are an array that is the caller's to change.
pub(super) unsafe fn advance(kind: Kind, address: &mut usize, length: &mut usize, bytes: usize) -> bool {
    if !kind.has_vector() {
        *address += bytes.min(*length);
        *length -= bytes.min(*length);
        return *length > 0;
    }
    let mut bytes = bytes;
    while *length > 0 {
        // SAFETY: the caller's promise.
        let vector = unsafe { &mut *core::ptr::with_exposed_provenance_mut::<libc::iovec>(*address) };
        if bytes < vector.iov_len {
            vector.iov_base = vector.iov_base.wrapping_byte_add(bytes);
            vector.iov_len -= bytes;
            return true;
        }
        bytes -= vector.iov_len;
        *address += size_of::<libc::iovec>();
        *length -= 1;
    }
    false
}

/// Leaves no more than `most` bytes of an operation's buffers, at least one.
///
/// # Safety
/// As for [`advance`].
pub(super) unsafe fn shorten(kind: Kind, address: usize, length: &mut usize, most: usize) {
    if !kind.has_vector() {
        *length = (*length).min(most);
        return;
    }
    let mut left = most;
    for index in 0..*length {
        // SAFETY: the caller's promise.
        let vector = unsafe { &mut *core::ptr::with_exposed_provenance_mut::<libc::iovec>(address).add(index) };
        if vector.iov_len >= left {
            vector.iov_len = left;
            *length = index + 1;
            return;
        }
        left -= vector.iov_len;
    }
}
