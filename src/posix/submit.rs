//! Beginning a request, and finishing it: what is done in the calling thread, what goes to an engine, and what the program
//! sees at the end.

use core::ptr::NonNull;

use super::aiocb::{AiocbRef, IoArgs};
use super::list_group::ListGroup;
use super::request::{Request, RequestPtr};
use super::sigevent::SigEvent;
use super::{completed, deadline_timer, notify, request_pool, suspend};
use crate::engine::{
    AroundOperation, Carrier, Engine, Engines, Eventfd, Kind, MAX_RW_BYTES, Operation, Order, WakeBatch,
};
use crate::host::kernel::{Errno, syscall, value_or_negated};
use crate::host::user_access;
use crate::stats::{self, Face, Lane, probes};
use crate::submission::fd_cache::{self, FdInfo};
use crate::submission::inline_io::{self, Attempt, POSIX, Transfer};
use crate::submission::order_counts;
use crate::submission::router::{self, Question, Route};
use crate::submission::vectors::Vectors;

/// How a request began.
pub enum Start {
    /// It has ended in the calling thread. Its notification, if it has one, is still to be sent, and not from inside the
    /// program's call.
    Finished {
        /// Whether it ended with an error.
        failed: bool,
        /// What is to be sent.
        notification: Option<RequestPtr>,
    },
    /// It is to be submitted to this engine.
    Ready(NonNull<Operation>, &'static Engine),
}

/// Begins one request and submits it.
///
/// # Errors
/// As for [`begin`]; the aiocb has the error, too.
#[inline]
pub fn submit(engines: Engines, aiocb: AiocbRef, kind: Kind) -> Result<(), Errno> {
    stats::submitted(Face::Posix, 1);
    match begin(engines, aiocb, kind, aiocb.sigevent(), None) {
        Ok(Start::Ready(operation, engine)) => {
            // SAFETY: the operation stays where it is until it is finished; the buffer by the program's promise.
            unsafe { engine.submit(operation) };
        }
        // SAFETY: the request has ended, and its notification is the caller's (request-is-owned).
        Ok(Start::Finished { notification: Some(notification), .. }) => unsafe {
            notify::send_by_engine(notification);
        },
        Ok(Start::Finished { notification: None, .. }) => {}
        Err(errno) => {
            aiocb.finish(errno.negated());
            return Err(errno);
        }
    }
    Ok(())
}

/// Begins a request: does it at once if it need not wait, or makes it ready to be submitted.
///
/// # Errors
/// `EAGAIN`: memory is out, or no thread can be started for a callback; `EBADF`, `EINVAL`: the eventfd that is to be notified;
/// `EINVAL`, `EFAULT`: an iovec array, as for [`Vectors::copy`]. Nothing has been done.
pub fn begin(
    engines: Engines,
    aiocb: AiocbRef,
    kind: Kind,
    sigevent: SigEvent,
    group: Option<ListGroup>,
) -> Result<Start, Errno> {
    let eventfd = sigevent.eventfd()?;
    let mut notification = notify::prepare(sigevent)?;
    let args = aiocb.args(kind);
    let one = [libc::iovec { iov_base: args.address as *mut _, iov_len: args.length }];
    let copied = if kind.has_vector() { Some(copy_vectors(&args, sigevent, &mut notification)?) } else { None };
    let (vectors, total) = copied.map_or((&one[..], args.length), |copied| (copied.as_slice(), copied.total));
    completed::expect(aiocb).inspect_err(|_| {
        // SAFETY: just taken, and known to no other thread.
        notification.into_iter().for_each(|request| unsafe { request_pool::put(request) });
    })?;
    if let Some(action) = kind.action() {
        probes::submit(Face::Posix, action, args.fd, aiocb.address(), total, args.offset);
    }
    let stamp = stats::stamp();
    match Plan::new(&args, vectors, total) {
        Err(Finished(result)) => {
            probes::complete(Face::Posix, aiocb.address(), result);
            completed::finish(aiocb, result, None);
            if let Some(action) = kind.action() {
                stats::in_caller(Face::Posix, action, result);
                stats::timed(Lane::InCaller, stamp);
            }
            if let Some(eventfd) = eventfd {
                eventfd.signal();
            }
            if sigevent.is_silent()
                && let Some(request) = notification.take()
            {
                // SAFETY: it was taken for the buffers alone, and is known to no other thread.
                unsafe { request_pool::put(request) };
            }
            Ok(Start::Finished { failed: result < 0, notification })
        }
        Ok(plan) => {
            let request = match notification {
                Some(request) => Ok(request),
                None => request_pool::take(Request::new(sigevent, finish)),
            };
            let request = request.inspect_err(|_| completed::withdraw(aiocb))?;
            let engine = plan.ready(engines, request, &args, copied).inspect_err(|_| {
                completed::withdraw(aiocb);
                // SAFETY: just taken, and known to no other thread.
                unsafe { request_pool::put(request) };
            })?;
            // SAFETY: request-is-owned, by this call until the operation is submitted.
            unsafe {
                let this = &mut *request.as_ptr();
                this.aiocb = Some(aiocb);
                this.group = group.map(ListGroup::pointer);
                if let Some(eventfd) = eventfd {
                    this.operation.eventfds[Eventfd::Own as usize] = eventfd.fd;
                }
                if let Some(eventfd) = group.and_then(ListGroup::eventfd) {
                    this.operation.eventfds[Eventfd::List as usize] = eventfd;
                }
            }
            aiocb.begin();
            Ok(Start::Ready(Request::operation(request), engine))
        }
    }
}

/// Copies the array of a vectored request to the memory of a request, which is that of the notification if there is one.
#[cold]
fn copy_vectors(args: &IoArgs, sigevent: SigEvent, notification: &mut Option<RequestPtr>) -> Result<Vectors, Errno> {
    let request = match *notification {
        Some(request) => request,
        None => request_pool::take(Request::new(sigevent, finish))?,
    };
    // SAFETY: request-is-owned, by this call.
    let copied = Vectors::copy(args.address, args.length, unsafe { &mut (*request.as_ptr()).vectors });
    *notification = Some(request);
    copied.inspect_err(|_| {
        // SAFETY: just taken, and known to no other thread.
        unsafe { request_pool::put(request) };
    })
}

/// The result of a request that ended before it went anywhere.
struct Finished(i64);

/// How a request goes on that has not ended in the calling thread.
struct Plan {
    carrier: Carrier,
    file: FdInfo,
    order: Order,
    /// Some of its bytes have been moved.
    partially_done: bool,
}

impl Plan {
    /// Does in the calling thread what can be done there, and says how the rest goes on.
    #[inline]
    fn new(args: &IoArgs, vectors: &[libc::iovec], total: usize) -> Result<Self, Finished> {
        let finished = |errno: Errno| Finished(errno.negated());
        let writes = args.kind.writes();
        let reads = args.kind.is_transfer() && !writes;
        // As `pread` does, before the descriptor is looked at. (io_uring would take -1 for the file's position.)
        if (reads || writes) && args.offset < 0 {
            return Err(finished(Errno(libc::EINVAL)));
        }
        let file = fd_cache::lookup(args.fd).map_err(finished)?;
        let appends = writes && file.appends();
        let flags = file.flags_by_setting();
        let transfer = Transfer { fd: args.fd, file, vectors, total, offset: args.offset, flags };
        let is_possible =
            vectors.iter().all(|vector| user_access::in_user_space(vector.iov_base as usize, vector.iov_len).is_ok());
        if (reads && total == 0) || ((reads || writes) && !is_possible) {
            ask_kernel(&transfer, writes, is_possible)?;
        }
        let order = match args.kind {
            Kind::Sync | Kind::DataSync if file.is_local() => Order::BarrierEverywhere,
            Kind::Sync | Kind::DataSync => Order::Barrier,
            _ if appends || (writes && !file.seeks()) => Order::Writing,
            _ if file.seeks() => Order::Counted,
            _ => Order::Reading,
        };
        let plan = |carrier, partially_done| Ok(Self { carrier, file, order, partially_done });
        let question = Question { face: Face::Posix, kind: args.kind, file, appends, buffers: vectors };
        match router::route(question) {
            Route::InCaller if reads || writes => Err(Finished(transfer.finish(writes))),
            Route::InCaller => Err(Finished(inline_io::sync(args.fd, args.kind))),
            Route::Inline(carrier) => match if writes { transfer.write(&POSIX) } else { transfer.read(&POSIX) } {
                Attempt::Done(result) => Err(Finished(result)),
                Attempt::Outdated => Self::new(args, vectors, total),
                Attempt::ForWorkers => plan(Carrier::Workers, false),
                attempt => plan(carrier, attempt == Attempt::Touched),
            },
            Route::InlineInOrder => plan(Carrier::Workers, false),
            Route::Engine(carrier) => plan(carrier, false),
        }
    }

    /// Makes a request's operation ready to be submitted, and gives the engine for it.
    ///
    /// # Errors
    /// `EAGAIN`: memory or threads are out.
    fn ready(
        &self,
        engines: Engines,
        mut request: RequestPtr,
        args: &IoArgs,
        copied: Option<Vectors>,
    ) -> Result<&'static Engine, Errno> {
        let engine = match self.carrier {
            Carrier::Uring => engines.uring_or_workers()?,
            Carrier::Workers if self.order == Order::BarrierEverywhere => engines.for_sync()?,
            Carrier::Workers => engines.workers()?,
        };
        let file = self.file;
        // SAFETY: request-is-owned, by the caller.
        let operation = unsafe { &mut request.as_mut().operation };
        operation.kind = args.kind;
        operation.fd = args.fd;
        (operation.address, operation.length) = match copied {
            None => (args.address, args.length.min(MAX_RW_BYTES)),
            Some(vectors) => vectors.for_operation(),
        };
        operation.offset = args.offset;
        operation.rw_flags = file.flags_by_setting();
        operation.file = file.identity;
        operation.nonblocking = file.is_nonblocking() && !file.seeks();
        if self.carrier == Carrier::Uring && file.is_direct() {
            operation.device = file.device;
        }
        operation.try_without_waiting(file.is_cached());
        engines.prepare_worker(operation);
        operation.finish = finish;
        operation.order = self.order;
        operation.partially_done = self.partially_done;
        order_counts::begin(operation).map_err(|_| Errno(libc::EAGAIN))?;
        Ok(engine)
    }
}

/// The kernel's answer to a read of no bytes, or to a buffer that no program can have: which of several faults it tells depends
/// on the call. A read of no bytes from a stream is left to the engines.
#[cold]
fn ask_kernel(transfer: &Transfer, writes: bool, is_possible: bool) -> Result<(), Finished> {
    let address = transfer.vectors.first().map_or(core::ptr::null_mut(), |vector| vector.iov_base);
    let (fd, length) = (transfer.fd, transfer.total);
    let (at, plain) = if writes { (libc::SYS_pwrite64, libc::SYS_write) } else { (libc::SYS_pread64, libc::SYS_read) };
    // SAFETY: no bytes need no buffer, and an impossible one the kernel refuses before it looks.
    let answer = unsafe {
        match syscall!(at, fd, address, length, transfer.offset) {
            Err(Errno(libc::ESPIPE)) if is_possible => return Ok(()),
            Err(Errno(libc::ESPIPE)) => syscall!(plain, fd, address, length),
            answer => answer,
        }
    };
    Err(Finished(value_or_negated(answer)))
}

/// An engine is done with a request: shows its end in the aiocb, wakes the threads that wait for it, and notifies.
///
/// # Safety
/// As for a [`Finish`](crate::engine::Finish).
unsafe fn finish(operation: NonNull<Operation>, result: i64, wakes: &mut WakeBatch) {
    let request = Request::of(operation);
    // SAFETY: request-is-owned, by the engine's thread, which gives it to this call.
    let (aiocb, group) = unsafe {
        let this = request.as_ref();
        order_counts::done(this.operation.file, this.operation.order);
        (this.aiocb, this.group)
    };
    if let Some(aiocb) = aiocb {
        probes::complete(Face::Posix, aiocb.address(), result);
        deadline_timer::forget(aiocb);
        completed::finish(aiocb, result, Some(wakes));
        suspend::wake_waiters(aiocb.address(), wakes);
        wakes.signal_eventfd(Eventfd::Own);
    }
    // SAFETY: request-is-owned, as above.
    unsafe { notify::send(request) };
    if let Some(group) = group {
        // SAFETY: group-is-held, by the request until it leaves here.
        unsafe { ListGroup::of(group) }.leave(result < 0, Some(wakes));
    }
}

/// The aiocb of an outstanding operation, if it is a request of this face's.
pub fn aiocb_of(operation: &Operation) -> Option<AiocbRef> {
    Request::around(operation, finish)?.aiocb
}
