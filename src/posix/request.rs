//! One request from its call to its end: what the engine carries for an aiocb, and where it comes from and goes back to.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32};

use crossbeam_queue::ArrayQueue;

use super::aiocb::{Block, Notice, Work};
use super::inline::{self, Answer};
use super::list::Group;
use super::{callbacks, face, notify, own_ring, wait};
use crate::engine::inbox::Node;
use crate::engine::{Finish, Kind, Operation, Order, Wakes};
use crate::host::files::{self, Facts, Home};
use crate::host::kernel::{self, Errno};
use crate::host::pool::{self, Item, Links};
use crate::stats::{self, Face, Lane, probes};

/// A request that is outstanding, a notification that is to be sent, or a group of requests (see [`Group`]).
#[repr(C, align(64))]
pub struct Request {
    operation: Operation,
    /// The aiocb, until the request is finished. A notification and a group have none.
    block: Option<Block>,
    /// The group that waits for this request.
    group: Option<Group>,
    /// The notification, as the aiocb or the list had it at the call.
    pub notice: Notice,
    links: Links,
    /// For a group: those who still hold it.
    pub holders: AtomicU32,
    /// For a group: whether one of its requests failed.
    pub failed: AtomicBool,
    /// For a group: whether the caller waits, and wants no notification.
    pub waits: bool,
}

// Whole cache lines: with thousands in flight, each is one that has to be fetched.
const _: () = assert!(size_of::<Request>() == 192, "what a request in flight costs");

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

// SAFETY: nothing but the pool touches the links.
unsafe impl Item for Request {
    fn new(links: Links) -> Self {
        Self {
            operation: Operation::new(Kind::Chore, -1, announce),
            block: None,
            group: None,
            notice: Notice::NONE,
            links,
            holders: AtomicU32::new(0),
            failed: AtomicBool::new(false),
            waits: false,
        }
    }

    fn links(this: *const Self) -> *const Links {
        // SAFETY: the pool asks for requests that exist.
        unsafe { &raw const (*this).links }
    }
}

impl Request {
    /// A request that asks for nothing yet.
    ///
    /// # Errors
    /// `EAGAIN`: memory is out.
    pub fn make(notice: Notice) -> Result<Handle, Errno> {
        let mut request = face().ok().and_then(|face| face.requests.take()).ok_or(Errno(libc::EAGAIN))?;
        // SAFETY: a request that was taken is the taker's. What its last user left is none of this one's.
        let this = unsafe { request.as_mut() };
        this.operation = Operation::new(Kind::Chore, -1, announce);
        this.block = None;
        this.group = None;
        this.notice = notice;
        this.holders = AtomicU32::new(0);
        this.failed = AtomicBool::new(false);
        this.waits = false;
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

    /// The aiocb of a request that this face has made and not submitted yet.
    ///
    /// # Safety
    /// As said.
    pub unsafe fn block(operation: NonNull<Operation>) -> Option<Block> {
        // SAFETY: the operation is the first field of a request.
        unsafe { operation.cast::<Self>().as_ref().block }
    }

    /// The descriptor and the aiocb of an outstanding request; none for what has no aiocb.
    ///
    /// # Safety
    /// The operation is one that this face submitted, and alive.
    pub unsafe fn identity(operation: NonNull<Operation>) -> Option<(i32, u32, Block)> {
        // SAFETY: the caller's promise; the finish function is this face's own, so the structure around it is too.
        unsafe {
            if !ptr::fn_addr_eq(operation.as_ref().finish, finish as Finish) {
                return None;
            }
            let this = operation.cast::<Self>().as_ref();
            Some((this.operation.fd, this.operation.fd_generation(), this.block?))
        }
    }
}

/// How a request began.
pub enum Begun {
    /// It is over already, and failed or not.
    Over { failed: bool },
    /// It is to be submitted.
    Queued(NonNull<Operation>),
}

/// Begins a request: does it at once if it need not wait, or makes it ready to be submitted. With a chore to be submitted
/// for a notification of the former, which is not sent from inside the program's own call.
///
/// # Errors
/// `EAGAIN`: memory is out, or no thread can be had for a callback. Nothing has been done.
pub fn begin(block: Block, kind: Kind, notice: Notice, group: Option<Group>) -> Result<(Begun, Option<Handle>), Errno> {
    let ready = if notice.is_silent() { None } else { Some(Request::make(notice)?) };
    if notice.how == libc::SIGEV_THREAD
        && let Some(request) = ready
        && let Err(errno) = callbacks::prepare()
    {
        // SAFETY: just made, and known to nobody.
        unsafe { Request::recycle(request) };
        return Err(errno);
    }
    let work = block.work(kind);
    if matches!(kind, Kind::Sync | Kind::DataSync) {
        own_ring::settle(work.fd);
    }
    if let Some(action) = kind.action() {
        probes::submit(Face::Posix, action, work.fd, block.address(), work.length, work.offset);
    }
    let stamp = stats::stamp();
    let (facts, has_begun) = match inline::attempt(&work) {
        Answer::Engine(facts) => (facts, false),
        Answer::Begun(facts) => (facts, true),
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
    let mut request = match ready {
        Some(request) => request,
        None => Request::make(notice)?,
    };
    // SAFETY: in our hands until it is submitted.
    let this = unsafe { request.as_mut() };
    fill(&mut this.operation, &work, &facts);
    this.operation.begun = has_begun;
    this.block = Some(block);
    this.group = group;
    block.mark(0, false);
    block.begin();
    Ok((Begun::Queued(Request::operation(request)), None))
}

fn fill(operation: &mut Operation, work: &Work, facts: &Facts) {
    operation.kind = work.kind;
    operation.fd = work.fd;
    operation.address = work.address;
    operation.length = work.length;
    operation.offset = if work.offset != 0 && !facts.has_position(work.fd) { 0 } else { work.offset };
    operation.file = facts.identity;
    operation.nonblocking = facts.has(libc::O_NONBLOCK) && !facts.is_seekable();
    let home = match facts.kind {
        files::Kind::Regular => files::home(work.fd, facts, kernel::now()),
        _ => Home::Device,
    };
    operation.slow = home == Home::Elsewhere;
    operation.direct = facts.has(libc::O_DIRECT) && facts.is_seekable() && home == Home::Device;
    operation.finish = finish;
    operation.order = match work.kind {
        Kind::Sync | Kind::DataSync => Order::Barrier,
        Kind::Write if facts.has(libc::O_APPEND) || !facts.is_seekable() => Order::Writing,
        _ if facts.is_seekable() => Order::Counted,
        _ => Order::Reading,
    };
}

/// The engine is done with a request.
unsafe fn finish(operation: NonNull<Operation>, result: i64, wakes: &mut Wakes) {
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

/// A chore: a notification is to be sent by the engine's thread.
unsafe fn announce(operation: NonNull<Operation>, _: i64, _: &mut Wakes) {
    // SAFETY: the operation is the first field of a request that has become a notification.
    unsafe { notify::send(operation.cast()) };
}
