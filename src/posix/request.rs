//! One request from its call to its end: what the engine carries for an aiocb, and where it comes from and goes back to.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicU32};

use super::aiocb::{AiocbRef, IoArgs, SigEvent};
use super::list::Group;
use super::{callback_pool, face, notify, wait};
use crate::engine::{Carrier, Engine, Engines, Finish, Kind, MAX_RW_BYTES, Operation, Order, WakeBatch};
use crate::host::file_info;
use crate::host::kernel::{Errno, syscall};
use crate::host::pool;
use crate::stats::{self, Face, Lane, probes};
use crate::submission::fd_cache::{self, FdInfo};
use crate::submission::inline_io::{self, Attempt, POSIX, Transfer};
use crate::submission::order_counts;
use crate::submission::router::{self, Question, Route};

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

/// Memory for requests. Nobody waits for anybody in it, so a signal handler may use it, and leave it at any point by a jump.
pub type Pool = pool::Pool<Request>;

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
    let args = block.args(kind);
    if let Some(action) = kind.action() {
        probes::submit(Face::Posix, action, args.fd, block.address(), args.length, args.offset);
    }
    let stamp = stats::stamp();
    let Plan { carrier, file, order, partially_done } = match Plan::of(&args) {
        Ok(plan) => plan,
        Err(Over(result)) => {
            probes::complete(Face::Posix, block.address(), result);
            block.finish(result);
            if let Some(action) = kind.action() {
                stats::in_place(Face::Posix, action, result);
                stats::timed(Lane::InPlace, stamp);
            }
            return Ok((Begun::Over { failed: result < 0 }, ready));
        }
    };
    let engine = match carrier {
        Carrier::Uring => engines.uring_or_workers()?,
        Carrier::Workers => engines.workers()?,
    };
    let mut request = match ready {
        Some(request) => request,
        None => Request::make(sigevent)?,
    };
    // SAFETY: in our hands until it is submitted.
    let this = unsafe { request.as_mut() };
    fill(&mut this.operation, &args, file, order);
    this.operation.partially_done = partially_done;
    order_counts::begin(&this.operation)?;
    this.block = Some(block);
    this.group = group;
    block.begin();
    Ok((Begun::Queued(Request::operation(request), engine), None))
}

/// The request is over before it went anywhere.
struct Over(i64);

/// What becomes of a request that is not over.
struct Plan {
    carrier: Carrier,
    file: FdInfo,
    order: Order,
    /// Some of its bytes have been moved.
    partially_done: bool,
}

/// Lengths that no address space has room for: the kernel answers EFAULT or EINVAL without doing anything.
const IMPOSSIBLE_BYTES: usize = 1 << 57;

impl Plan {
    /// Does in the calling thread what can be, and says where the rest goes.
    #[inline]
    fn of(args: &IoArgs) -> Result<Self, Over> {
        let over = |errno: Errno| Over(errno.negated());
        let (reads, writes) = (args.kind == Kind::Read, args.kind == Kind::Write);
        // As `pread` has it: before the descriptor is looked at. (io_uring would take -1 for the file's position.)
        if (reads || writes) && args.offset < 0 {
            return Err(over(Errno(libc::EINVAL)));
        }
        let file = fd_cache::lookup(args.fd).map_err(over)?;
        let appends = writes && file.appends();
        let vector = libc::iovec { iov_base: args.address as *mut _, iov_len: args.length };
        let transfer =
            Transfer { fd: args.fd, file, vectors: &[vector], total: args.length, offset: args.offset, flags: 0 };
        if (reads && args.length == 0) || ((reads || writes) && args.length >= IMPOSSIBLE_BYTES) {
            at_once(&transfer, writes)?;
        }
        let order = match args.kind {
            Kind::Sync | Kind::DataSync if order_counts::is_idle(file.identity, Order::Writing) => Order::Barrier,
            Kind::Sync | Kind::DataSync => Order::BarrierEverywhere,
            _ if appends || (writes && !file.seeks()) => Order::Writing,
            _ if file.seeks() => Order::Counted,
            _ => Order::Reading,
        };
        let plan = |carrier, partially_done| Ok(Self { carrier, file, order, partially_done });
        let question = Question { face: Face::Posix, kind: args.kind, file, appends, buffers: &[vector] };
        match router::route(question) {
            Route::InCaller if reads || writes => Err(Over(transfer.finish(writes))),
            Route::InCaller => Err(Over(inline_io::sync(args.fd, args.kind))),
            Route::Inline(carrier) => match if writes { transfer.write(&POSIX) } else { transfer.read(&POSIX) } {
                Attempt::Done(result) => Err(Over(result)),
                attempt => plan(carrier, attempt == Attempt::Touched),
            },
            Route::InlineInOrder => plan(Carrier::Workers, false),
            Route::Engine(carrier) => plan(carrier, false),
        }
    }
}

/// What the kernel answers at once: to a read of nothing, and to a length that it cannot take. A read of nothing from what
/// has no positions is left to the engines.
#[cold]
fn at_once(transfer: &Transfer, writes: bool) -> Result<(), Over> {
    let (fd, address, length) = (transfer.fd, transfer.vectors[0].iov_base, transfer.total);
    let (at, plain) = if writes { (libc::SYS_pwrite64, libc::SYS_write) } else { (libc::SYS_pread64, libc::SYS_read) };
    // SAFETY: no buffer is needed for nothing, and none is that long: the kernel refuses before it looks.
    let answer = unsafe {
        match syscall!(at, fd, address, length, transfer.offset) {
            Err(Errno(libc::ESPIPE)) if length == 0 => return Ok(()),
            Err(Errno(libc::ESPIPE)) => syscall!(plain, fd, address, length),
            answer => answer,
        }
    };
    Err(Over(answer.map_or_else(Errno::negated, |count| count as i64)))
}

fn fill(operation: &mut Operation, args: &IoArgs, file: FdInfo, order: Order) {
    operation.kind = args.kind;
    operation.fd = args.fd;
    operation.address = args.address;
    operation.length = args.length.min(MAX_RW_BYTES);
    operation.offset = if args.offset == 0 || file_info::has_position(args.fd, file.seeks()) { args.offset } else { 0 };
    operation.file = file.identity;
    operation.nonblocking = file.is_nonblocking() && !file.seeks();
    if file.is_direct() && file.is_local() {
        operation.device = file.device;
    }
    operation.finish = finish;
    operation.order = order;
}

/// The engine is done with a request.
unsafe fn finish(operation: NonNull<Operation>, result: i64, wakes: &mut WakeBatch) {
    let request: Handle = operation.cast();
    // SAFETY: the operation is the first field of a request that `begin` made, and ours again.
    let (block, group) = unsafe {
        let this = request.as_ref();
        order_counts::done(this.operation.file, this.operation.order);
        (this.block, this.group)
    };
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
