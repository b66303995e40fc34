//! One request from its call to its end: what the engine carries for an aiocb, and where it comes from and goes back to.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32};

use crossbeam_queue::ArrayQueue;

use super::aiocb::{AiocbRef, IoArgs, SigEvent};
use super::inline_io::{self, Answer};
use super::list::Group;
use super::{callback_pool, face, notify, wait};
use crate::engine::inbox::Node;
use crate::engine::{Carrier, Engine, Engines, Finish, Kind, Operation, Order, WakeBatch};
use crate::host::file_info::{self, Backing, FileInfo};
use crate::host::kernel::{self, Errno};
use crate::host::pool;
use crate::stats::{self, Face, Lane, probes};

/// A request that is outstanding, a notification that is to be sent, or a group of requests (see [`Group`]).
#[repr(C)]
pub struct Request {
    operation: Operation,
    /// The aiocb, until the request is finished. A notification and a group have none.
    block: Option<AiocbRef>,
    /// The group that waits for this request.
    group: Option<Group>,
    /// The notification, as the aiocb or the list had it at the call.
    pub sigevent: SigEvent,
    /// For a group: those who still hold it.
    pub holders: AtomicU32,
    /// For a group: whether one of its requests failed.
    pub failed: AtomicBool,
    /// For a group: whether the caller waits, and wants no notification.
    pub waits: bool,
}

// Whole cache lines: with thousands in flight, each is one that has to be fetched.
const _: () = assert!(size_of::<Request>() == 184, "with the pool's links 192 bytes, whole cache lines");

/// A request's memory, in hand.
pub type Handle = NonNull<Request>;

/// Memory for requests. What is over goes into a queue first: the thread that ends requests and those that begin them work at
/// its two ends. What has no room there goes back to the blocks.
pub struct Pool {
    spare: ArrayQueue<Spare>,
    blocks: pool::Pool<Request>,
}

struct Spare(Handle);

// SAFETY: a spare is memory that nobody refers to.
unsafe impl Send for Spare {}

/// Requests that the queue holds.
const SPARES: usize = 1024;

/// Places of the queue that stay empty: a handler that interrupted somebody's taking from a full queue would wait for him.
const MARGIN: usize = 64;

impl Pool {
    pub fn new() -> Self {
        Self { spare: ArrayQueue::new(SPARES + MARGIN), blocks: pool::Pool::new() }
    }

    /// Memory for a request, or none where memory is out.
    fn take(&self) -> Option<Handle> {
        self.spare.pop().map(|Spare(request)| request).or_else(|| self.blocks.take())
    }

    /// Takes back that of a request that is over. Async-signal-safe.
    fn put(&self, request: Handle) {
        if self.spare.len() >= SPARES || self.spare.push(Spare(request)).is_err() {
            self.blocks.put(request);
        }
    }
}

impl Request {
    /// A request that asks for nothing yet.
    ///
    /// # Errors
    /// `EAGAIN`: memory is out.
    pub fn make(sigevent: SigEvent) -> Result<Handle, Errno> {
        let request = face().ok().and_then(|face| face.requests.take()).ok_or(Errno(libc::EAGAIN))?;
        // SAFETY: a request that was taken is the taker's. What its last user left is none of this one's.
        unsafe {
            request.write(Self {
                operation: Operation::new(Kind::Nop, -1, announce),
                block: None,
                group: None,
                sigevent,
                holders: AtomicU32::new(0),
                failed: AtomicBool::new(false),
                waits: false,
            });
        }
        Ok(request)
    }

    /// Gives the memory of a request back.
    ///
    /// # Safety
    /// Nobody refers to it any more.
    pub unsafe fn recycle(request: Handle) {
        // There is a face wherever there are requests.
        if let Ok(face) = face() {
            face.requests.put(request);
        }
    }

    /// The next in a line of requests that the engine is done with: its link is free for that.
    pub fn next(&self) -> &AtomicPtr<Operation> {
        self.operation.link()
    }

    /// What the engine is given.
    pub fn operation(request: Handle) -> NonNull<Operation> {
        request.cast()
    }
}

/// The aiocb of an outstanding operation, if it is a request of this face's.
pub fn aiocb_of(operation: &Operation) -> Option<AiocbRef> {
    if !ptr::fn_addr_eq(operation.finish, finish as Finish) {
        return None;
    }
    // SAFETY: an operation with this finish function is the first field of a request, and alive as long as the operation.
    unsafe { (*ptr::from_ref(operation).cast::<Request>()).block }
}

/// How a request began.
pub enum Begun {
    /// It is over already, and failed or not.
    Over { failed: bool },
    /// It is to be submitted.
    Queued(NonNull<Operation>, &'static Engine),
}

/// Begins a request: does it at once if it need not wait, or makes it ready to be submitted. With a nop to be submitted
/// for a notification of the former, which is not sent from inside the program's own call.
///
/// # Errors
/// `EAGAIN`: memory is out, or no thread can be had for a callback. Nothing has been done.
pub fn begin(
    engines: Engines,
    block: AiocbRef,
    kind: Kind,
    sigevent: SigEvent,
    group: Option<Group>,
) -> Result<(Begun, Option<Handle>), Errno> {
    let ready = if sigevent.is_silent() { None } else { Some(Request::make(sigevent)?) };
    if sigevent.how == libc::SIGEV_THREAD
        && let Some(request) = ready
        && let Err(errno) = callback_pool::prepare()
    {
        // SAFETY: just made, and known to nobody.
        unsafe { Request::recycle(request) };
        return Err(errno);
    }
    let work = block.work(kind);
    if let Some(action) = kind.action() {
        probes::submit(Face::Posix, action, work.fd, block.address(), work.length, work.offset);
    }
    let stamp = stats::stamp();
    let (info, has_begun) = match inline_io::attempt(&work) {
        Answer::Engine(info) => (info, false),
        Answer::Begun(info) => (info, true),
        Answer::Over(result) => {
            probes::complete(Face::Posix, block.address(), result);
            block.finish(result);
            if let Some(action) = kind.action() {
                stats::in_place(Face::Posix, action, result);
                stats::timed(Lane::InPlace, stamp);
            }
            return Ok((Begun::Over { failed: result < 0 }, ready));
        }
    };
    let engine = match carrier(&work, &info) {
        Carrier::Uring => engines.uring_or_workers()?,
        Carrier::Workers => engines.workers()?,
    };
    let mut request = match ready {
        Some(request) => request,
        None => Request::make(sigevent)?,
    };
    // SAFETY: in our hands until it is submitted.
    let this = unsafe { request.as_mut() };
    fill(&mut this.operation, &work, &info);
    this.operation.partially_done = has_begun;
    this.block = Some(block);
    this.group = group;
    block.begin();
    Ok((Begun::Queued(Request::operation(request), engine), None))
}

/// Which engine carries out what was not done in place: io_uring on the file systems for which it is known to answer as
/// `pread` and `pwrite` do, workers on everything else and on what must keep an order.
fn carrier(work: &IoArgs, info: &FileInfo) -> Carrier {
    let appends = work.kind == Kind::Write && info.has(libc::O_APPEND);
    let is_local = match info.kind {
        file_info::Kind::Regular => file_info::backing(work.fd, info, kernel::now()) == Backing::Local,
        file_info::Kind::Block => true,
        _ => false,
    };
    if is_local && !appends { Carrier::Uring } else { Carrier::Workers }
}

fn fill(operation: &mut Operation, work: &IoArgs, info: &FileInfo) {
    operation.kind = work.kind;
    operation.fd = work.fd;
    operation.address = work.address;
    operation.length = work.length;
    operation.offset = if work.offset != 0 && !info.has_position(work.fd) { 0 } else { work.offset };
    operation.file = info.identity;
    operation.nonblocking = info.has(libc::O_NONBLOCK) && !info.is_seekable();
    operation.finish = finish;
    operation.order = match work.kind {
        Kind::Sync | Kind::DataSync => Order::Barrier,
        Kind::Write if info.has(libc::O_APPEND) || !info.is_seekable() => Order::Writing,
        _ if info.is_seekable() => Order::Counted,
        _ => Order::Reading,
    };
}

/// The engine is done with a request.
unsafe fn finish(operation: NonNull<Operation>, result: i64, wakes: &mut WakeBatch) {
    let request: Handle = operation.cast();
    // SAFETY: the operation is the first field of a request that `begin` made, and ours again.
    let (block, group) = unsafe { (request.as_ref().block, request.as_ref().group) };
    if let Some(block) = block {
        probes::complete(Face::Posix, block.address(), result);
        block.finish(result);
        wait::announce(block.address(), wakes);
    }
    // SAFETY: nobody else refers to the request.
    unsafe { notify::send(request) };
    if let Some(group) = group {
        group.leave(result < 0, Some(wakes));
    }
}

/// A notification is to be sent by the engine's thread.
unsafe fn announce(operation: NonNull<Operation>, _: i64, _: &mut WakeBatch) {
    // SAFETY: the operation is the first field of a request that has become a notification.
    unsafe { notify::send(operation.cast()) };
}
