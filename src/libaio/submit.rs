//! `io_submit`: iocbs in their order, each done in the caller or handed to an engine, until one is refused.

use core::ptr::NonNull;

use super::completion::finish;
use super::context::{Context, ContextRef, Request};
use super::iocb::Iocb;
use super::ring::layout::Event;
use super::{carriage, eventfd, got_patch, kernel_aio, outstanding, registry, rw_flags};
use crate::engine::Eventfd::Own;
use crate::engine::{self, AroundOperation, Carrier, Engines, Kind, MAX_RW_BYTES, Operation, Order, TELLS_BOTH};
use crate::host::kernel::Errno;
use crate::host::{file_info, file_size_limit, futex, kernel, thread, thread_identity, user_access};
use crate::stats::{self, Face, Lane, probes};
use crate::submission::device_profile;
use crate::submission::fd_cache::{self, FdInfo};
use crate::submission::inline_io::{self, Attempt, LIBAIO, Transfer};
use crate::submission::order_counts;
use crate::submission::router::{self, Question, Route};

/// What became of an iocb that was not refused.
enum Taken {
    /// It is done, with this result.
    Done(i64),
    /// It goes to an engine.
    Request(NonNull<Request>, Carrier),
}

/// An iocb, and where it lies.
type Found = (Iocb, usize);

/// So many requests in a call cost less if they enter the kernel together, even on a device that completes each immediately.
const KERNELS_BATCH: usize = 4;

/// `io_submit(2)` on a context that the library carried when it was found: how many iocbs were taken.
///
/// # Errors
/// Why the first was refused.
#[inline]
pub fn submit(used: ContextRef, nr: isize, list: usize) -> Result<usize, Errno> {
    match usize::try_from(nr) {
        Ok(0) => Ok(0),
        Ok(nr) => {
            let first = Iocb::read(list, 0)?;
            if is_handed_over(&used, &first.0, nr) {
                return submit_carried(used, nr as isize, list);
            }
            submit_here(&used, nr, list, first)
        }
        Err(_) => Err(Errno(libc::EINVAL)),
    }
}

/// The kernel carries the context.
fn submit_carried(used: ContextRef, nr: isize, list: usize) -> Result<usize, Errno> {
    let address = used.address();
    drop(used);
    kernel_aio::submit_carried(address, nr, list)
}

/// Whether the kernel carries the context from here on; `iocb` is the first of `nr`.
#[inline]
fn is_handed_over(used: &ContextRef, iocb: &Iocb, nr: usize) -> bool {
    if thread_identity::is_separate() {
        return carriage::hand_over_for_separate(used);
    }
    is_kernels_work(iocb, nr) && carriage::hand_over(used)
}

/// Whether the first of `nr` iocbs moves bytes of a file that is open with `O_DIRECT`. (Those of a device that completes them
/// immediately are done in the caller, if they come one by one.)
#[inline]
fn is_kernels_work(iocb: &Iocb, nr: usize) -> bool {
    let is_immediate = |file: FdInfo| file.is_local() && device_profile::completes_immediately(file.device);
    iocb.kind().is_some_and(Kind::is_transfer)
        && fd_cache::lookup(iocb.fd)
            .is_ok_and(|file| file.is_direct() && file.seeks() && (nr >= KERNELS_BATCH || !is_immediate(file)))
}

/// No engine serves any more that did when the context was made: io_uring was taken away. Workers may still be started.
#[cold]
fn start_again() -> Result<Engines, Errno> {
    let refused = || Errno(if engine::stands_aside() { libc::EINVAL } else { libc::EAGAIN });
    engine::get()?.ok_or_else(refused)
}

fn submit_here(used: &ContextRef, nr: usize, list: usize, first: Found) -> Result<usize, Errno> {
    let engines = engine::started().map_or_else(start_again, Ok)?;
    let nr = nr.min(used.ring().nr() as usize);
    let mut chains = Chains { context: used.context(), engines, chains: [Chain::EMPTY; 2], pushed: false };
    let mut taken = 0;
    let mut next = Ok(first);
    let refused = loop {
        let done = next.and_then(|(iocb, address)| {
            iocb.check()?;
            // Not behind an iocb that is refused: `nr` may be more than the list holds, and the kernel stops there.
            if taken + 1 < nr {
                Iocb::prefetch(list, taken + 1);
            }
            one(used, &iocb, address, &mut chains)
        });
        if let Err(errno) = done {
            break Some(errno);
        }
        taken += 1;
        if taken == nr {
            break None;
        }
        next = Iocb::read(list, taken);
    };
    if taken > 0 {
        stats::submitted(Face::Libaio, taken as u64);
    }
    chains.push();
    if chains.pushed && !got_patch::sees_closes() {
        // The program may close or change the descriptor at once, and we would not notice.
        engine::running().for_each(engine::Engine::settle);
    }
    match refused {
        Some(errno) if taken == 0 => Err(errno),
        _ => Ok(taken),
    }
}

/// Requests on their way to one engine.
#[derive(Clone, Copy)]
struct Chain {
    ends: Option<(NonNull<Request>, NonNull<Request>)>,
    length: u64,
}

impl Chain {
    const EMPTY: Self = Self { ends: None, length: 0 };
}

/// Requests on their way to the engines.
struct Chains {
    context: &'static Context,
    engines: Engines,
    chains: [Chain; 2],
    /// Something went to an engine.
    pushed: bool,
}

impl Chains {
    fn add(&mut self, request: NonNull<Request>, carrier: Carrier) {
        let chain = &mut self.chains[carrier as usize];
        chain.ends = match chain.ends {
            Some((newest, oldest)) => {
                // SAFETY: both are whole, and not submitted yet.
                unsafe { engine::chain(Request::operation(newest), Request::operation(request)) };
                Some((request, oldest))
            }
            None => Some((request, request)),
        };
        chain.length += 1;
    }

    /// Requests that are not with an engine yet.
    fn queued(&self) -> u64 {
        self.chains.iter().map(|chain| chain.length).sum()
    }

    fn push(&mut self) {
        for carrier in [Carrier::Uring, Carrier::Workers] {
            let Chain { ends, length } = core::mem::replace(&mut self.chains[carrier as usize], Chain::EMPTY);
            let Some((newest, oldest)) = ends else { continue };
            let engine = match carrier {
                Carrier::Uring => self.engines.uring_or_workers(),
                Carrier::Workers => self.engines.workers(),
            };
            self.pushed = true;
            self.context.note_submitted(length);
            match engine {
                // SAFETY: requests stay until they are finished; their buffers are the program's.
                Ok(engine) => unsafe { engine.submit_chain(Request::operation(newest), Request::operation(oldest)) },
                // SAFETY: as above.
                Err(_) => unsafe { engine::end_here(Request::operation(newest), Request::operation(oldest)) },
            }
        }
    }
}

/// Takes an iocb that was checked.
#[inline]
fn one(used: &ContextRef, iocb: &Iocb, address: usize, chains: &mut Chains) -> Result<(), Errno> {
    if !used.has_room(chains.queued()) && !makes_room(used, chains) {
        return Err(Errno(libc::EAGAIN));
    }
    let file = fd_cache::lookup(iocb.fd)?;
    let eventfd = eventfd::of(iocb)?;
    Iocb::mark_taken(address)?;
    let stamp = stats::stamp();
    let Some((kind, Some(action))) = iocb.kind().map(|kind| (kind, kind.action())) else {
        return Err(Errno(libc::EINVAL));
    };
    let take = |file, chains: &mut Chains| match kind {
        Kind::Read | Kind::Write => single(used, iocb, file, kind, chains),
        Kind::ReadVector | Kind::WriteVector => vectored(used, iocb, file, kind, chains),
        Kind::Sync | Kind::DataSync => sync(used, iocb, file, kind),
        Kind::Poll | Kind::Nop => poll(used, iocb, file),
    };
    let taken = match take(file, chains) {
        Err(errno) => match fd_cache::look_again(iocb.fd, file)? {
            Some(file) => take(file, chains)?,
            None => return Err(errno),
        },
        Ok(taken) => taken,
    };
    probes::submit(Face::Libaio, action, iocb.fd, address, iocb.length as usize, iocb.offset);
    let event = Event { data: iocb.data, object: address as u64, result: 0, result2: 0 };
    match taken {
        Taken::Done(result) => {
            stats::in_caller(Face::Libaio, action, result);
            stats::timed(Lane::InCaller, stamp);
            probes::complete(Face::Libaio, address, result);
            if used.complete(&Event { result, ..event }) {
                futex::wake_all(used.word());
            }
            if let Some(eventfd) = eventfd {
                eventfd.signal();
            }
        }
        Taken::Request(mut request, carrier) => {
            // SAFETY: ours until it is pushed; its operation is there.
            let operation = unsafe {
                let this = request.as_mut();
                this.set_names(&event);
                this.operation.assume_init_mut()
            };
            chains.engines.prepare_worker(operation);
            operation.face = Face::Libaio;
            if eventfd.is_some() {
                operation.eventfds[Own as usize] = iocb.resfd;
            }
            chains.add(request, carrier);
        }
    }
    Ok(())
}

/// The context seems full. Where calls were left by jumps, what they had noted is taken back.
#[cold]
fn makes_room(used: &ContextRef, chains: &mut Chains) -> bool {
    chains.push();
    used.correct_in_flight(|| chains.engines.count(outstanding::all_of(used)));
    used.has_room(0)
}

/// What reads and writes of all kinds check, in the kernel's order. Gives the priority and the flags.
fn check_transfer(iocb: &Iocb, file: FdInfo, writes: bool) -> Result<(u16, i32), Errno> {
    let priority = iocb.io_priority()?;
    rw_flags::check(iocb.fd, file, writes, iocb.rw_flags)?;
    if !(if writes { file.writes() } else { file.reads() }) {
        return Err(Errno(libc::EBADF));
    }
    // A directory has no bytes.
    if !file.seeks() && !file.streams() {
        return Err(Errno(libc::EINVAL));
    }
    Ok((priority, iocb.rw_flags & !libc::RWF_HIPRI | file.flags_by_setting()))
}

#[inline]
fn single(used: &ContextRef, iocb: &Iocb, file: FdInfo, kind: Kind, chains: &mut Chains) -> Result<Taken, Errno> {
    let (priority, flags) = check_transfer(iocb, file, kind.writes())?;
    let length = (iocb.length as usize).min(MAX_RW_BYTES);
    user_access::in_user_space(iocb.buffer as usize, length)?;
    iocb.check_position(length)?;
    let vector = libc::iovec { iov_base: iocb.buffer as *mut _, iov_len: length };
    let transfer = Transfer { fd: iocb.fd, file, vectors: &[vector], total: length, offset: iocb.offset, flags };
    let plan = attempt(used, &transfer, kind, chains);
    if let Some(ended) = plan.ended() {
        return ended.map(Taken::Done);
    }
    let mut request = used.pool.take().ok_or(Errno(libc::EAGAIN))?;
    let mut operation = Operation::new(kind, iocb.fd, finish);
    (operation.address, operation.length) = (iocb.buffer as usize, length);
    plan.fill(&mut operation, &transfer, priority);
    // SAFETY: taken from the pool, and ours.
    plan.begin(unsafe { request.as_mut() }, used, operation)?;
    Ok(Taken::Request(request, plan.carrier))
}

#[cold]
fn vectored(used: &ContextRef, iocb: &Iocb, file: FdInfo, kind: Kind, chains: &mut Chains) -> Result<Taken, Errno> {
    let (priority, flags) = check_transfer(iocb, file, kind.writes())?;
    let mut request = used.pool.take().ok_or(Errno(libc::EAGAIN))?;
    // SAFETY: taken from the pool, and ours.
    let this = unsafe { request.as_mut() };
    let taken = (|| {
        let vectors = iocb.copy_vectors(&mut this.vectors)?;
        iocb.check_position(vectors.total)?;
        let transfer = Transfer {
            fd: iocb.fd,
            file,
            vectors: vectors.as_slice(),
            total: vectors.total,
            offset: iocb.offset,
            flags,
        };
        let plan = attempt(used, &transfer, kind, chains);
        if let Some(ended) = plan.ended() {
            return ended.map(Taken::Done);
        }
        let mut operation = Operation::new(kind, iocb.fd, finish);
        (operation.address, operation.length) = vectors.for_operation();
        plan.fill(&mut operation, &transfer, priority);
        plan.begin(this, used, operation)?;
        Ok(Taken::Request(request, plan.carrier))
    })();
    if !matches!(taken, Ok(Taken::Request(..))) {
        used.pool.put(request);
    }
    taken
}

/// How a request goes on after what could be done in the caller.
struct Plan {
    attempt: Attempt,
    order: Order,
    /// It may wait for ever.
    endless: bool,
    /// Where what is not done in the caller goes.
    carrier: Carrier,
}

impl Plan {
    /// Nothing was done in the caller, and there is no order.
    const fn engine(carrier: Carrier) -> Self {
        Self { attempt: Attempt::Left, order: Order::Free, endless: false, carrier }
    }

    /// The result of a request that was done in the caller, or why it is to be taken anew. None: it goes to an engine.
    const fn ended(&self) -> Option<Result<i64, Errno>> {
        match self.attempt {
            Attempt::Done(result) => Some(Ok(result)),
            // What is known by then decides.
            Attempt::Outdated => Some(Err(Errno(libc::EBADF))),
            Attempt::Left | Attempt::ForWorkers | Attempt::Touched | Attempt::Partly(_) => None,
        }
    }

    fn fill(&self, operation: &mut Operation, transfer: &Transfer, priority: u16) {
        operation.offset = transfer.offset;
        operation.rw_flags = transfer.flags;
        operation.try_without_waiting(transfer.file.is_cached());
        operation.priority = priority;
        operation.order = self.order;
        operation.file = transfer.file.identity;
        operation.nonblocking = transfer.file.is_nonblocking() && transfer.file.streams();
        if !operation.kind.writes() && transfer.cannot_be_tried() {
            operation.device = transfer.file.device;
        }
        if operation.kind.writes() && self.may_break(transfer) && !thread::blocks(libc::SIGPIPE) {
            operation.tell_by_sigpipe(kernel::thread_id());
        }
    }

    /// Whether the kernel would send `SIGPIPE` if nobody reads what is written. A socket does not, once it has moved a part.
    fn may_break(&self, transfer: &Transfer) -> bool {
        let (file, is_begun) = (transfer.file, matches!(self.attempt, Attempt::Partly(_)));
        transfer.flags & rw_flags::RWF_NOSIGNAL == 0 && (file.is_pipe() || (file.is_socket() && !is_begun))
    }

    /// Gives the request its operation, or what is left of it. It is about to go to an engine.
    ///
    /// # Errors
    /// `EAGAIN`: memory is out.
    fn begin(&self, request: &mut Request, used: &ContextRef, mut operation: Operation) -> Result<(), Errno> {
        order_counts::begin(&operation).map_err(|_| Errno(libc::EAGAIN))?;
        request.context = core::ptr::from_ref::<Context>(used.context());
        request.result = 0;
        if let Attempt::Partly(moved) = self.attempt
            && let Some(action) = operation.kind.action()
        {
            operation.skip(moved);
            request.result = moved as i32;
            stats::moved(action, moved as u64);
        }
        request.endless = self.endless;
        if operation.kind.is_transfer() && !self.endless {
            registry::begin_transfer();
        }
        request.operation.write(operation);
        Ok(())
    }
}

/// Does in the caller what can be done there, and says how the rest has to go.
#[inline]
fn attempt(used: &ContextRef, transfer: &Transfer, kind: Kind, chains: &mut Chains) -> Plan {
    let file = transfer.file;
    let writes = kind.writes();
    // A socket refuses any position but 0 (`sock_read_iter` of net/socket.c), which the plain calls of an engine do not pass.
    if file.is_socket() && transfer.offset != 0 {
        return Plan { attempt: Attempt::Done(Errno(libc::ESPIPE).negated()), ..Plan::engine(Carrier::Workers) };
    }
    let appends = writes
        && ((file.appends() && transfer.flags & libc::RWF_NOAPPEND == 0) || transfer.flags & libc::RWF_APPEND != 0);
    let question = Question { face: Face::Libaio, kind, file, appends, buffers: transfer.vectors };
    let plan = plan(used, transfer, question, chains);
    if writes && file.seeks() && plan.attempt == Attempt::Left && is_beyond_limit(transfer, appends, &plan) {
        chains.push();
        return Plan { attempt: Attempt::Done(transfer.finish(true)), ..plan };
    }
    plan
}

/// Whether a write begins at `RLIMIT_FSIZE` or behind it: then it fails at once, and the kernel sends SIGXFSZ to the thread that
/// makes it, which must be the caller.
fn is_beyond_limit(transfer: &Transfer, appends: bool, plan: &Plan) -> bool {
    let begin = |start: i64| (start as u64).saturating_add(1);
    if !appends {
        return transfer.total > 0 && file_size_limit::may_be_passed(begin(transfer.offset));
    }
    transfer.total > 0
        && file_size_limit::may_be_passed(u64::MAX)
        && order_counts::is_idle(transfer.file.identity, plan.order)
        && file_info::info(transfer.fd).is_ok_and(|info| file_size_limit::may_be_passed(begin(info.size as i64)))
}

#[inline]
fn plan(used: &ContextRef, transfer: &Transfer, question: Question, chains: &mut Chains) -> Plan {
    let Question { file, appends, .. } = question;
    let writes = question.kind.writes();
    match router::route(question) {
        Route::Inline(_) | Route::InlineInOrder | Route::Engine(_)
            if writes
                && transfer.total == 0
                && transfer.flags & libc::RWF_NOWAIT != 0
                && file.seeks()
                && !file.in_memory() =>
        {
            Plan { attempt: Attempt::Done(rw_flags::empty_nowait_write(transfer.fd)), ..Plan::engine(Carrier::Workers) }
        }
        Route::Inline(carrier) if writes => {
            if !file.is_direct() {
                // A write may take a while: what goes to the engines goes before it.
                chains.push();
            }
            Plan { attempt: transfer.write(&LIBAIO), ..Plan::engine(carrier) }
        }
        Route::Inline(carrier) => {
            if transfer.may_wait_here() {
                // As a write. (A handler that jumps out meanwhile loses the event: to block signals would cost a fifth of the
                // throughput, and keep the program from being ended while a server does not answer.)
                chains.push();
            }
            let attempt = transfer.read(&LIBAIO);
            if matches!(attempt, Attempt::Left | Attempt::ForWorkers | Attempt::Touched) && !file.is_direct() {
                used.carriage.note_uncached_read();
            }
            let carrier = if attempt == Attempt::ForWorkers { Carrier::Workers } else { carrier };
            Plan { attempt, ..Plan::engine(carrier) }
        }
        Route::InCaller => {
            chains.push();
            Plan { attempt: Attempt::Done(transfer.finish(writes)), ..Plan::engine(Carrier::Workers) }
        }
        Route::Engine(carrier) if file.seeks() && !appends => Plan::engine(carrier),
        route => in_order(transfer, writes, route == Route::InlineInOrder, chains),
    }
}

/// Streams and appending writes: in the caller only where no request of the library's can be overtaken.
#[cold]
fn in_order(transfer: &Transfer, writes: bool, inlines: bool, chains: &mut Chains) -> Plan {
    chains.push();
    let order = if writes { Order::Writing } else { Order::Reading };
    let attempt = match (inlines && order_counts::is_idle(transfer.file.identity, order), transfer.file.seeks(), writes)
    {
        (false, ..) => Attempt::Left,
        (true, true, _) => transfer.write(&LIBAIO),
        (true, false, true) => transfer.send(),
        (true, false, false) => transfer.receive(),
    };
    Plan { attempt, order, endless: !transfer.file.seeks(), carrier: Carrier::Workers }
}

fn sync(used: &ContextRef, iocb: &Iocb, file: FdInfo, kind: Kind) -> Result<Taken, Errno> {
    iocb.check_sync(file)?;
    match router::route(Question { face: Face::Libaio, kind, file, appends: false, buffers: &[] }) {
        Route::Engine(carrier) => plain(used, Operation::new(kind, iocb.fd, finish), &Plan::engine(carrier)),
        _ => Ok(Taken::Done(inline_io::sync(iocb.fd, kind))),
    }
}

fn poll(used: &ContextRef, iocb: &Iocb, file: FdInfo) -> Result<Taken, Errno> {
    iocb.check_poll()?;
    let events = iocb.buffer as u16;
    if let Attempt::Done(result) = inline_io::poll(iocb.fd, events) {
        return Ok(Taken::Done(result));
    }
    // Nothing ever changes there that could be waited for, or no thread of the library could wait.
    if !inline_io::may_be_awaited(iocb.fd, file, events) || thread_identity::has_own_descriptors() {
        return Err(Errno(libc::EINVAL));
    }
    let mut operation = Operation::new(Kind::Poll, iocb.fd, finish);
    let tells_both = if file.is_pipe() || file.is_socket() { TELLS_BOTH } else { 0 };
    operation.events = u32::from(events) | tells_both;
    plain(used, operation, &Plan { endless: true, ..Plan::engine(Carrier::Workers) })
}

fn plain(used: &ContextRef, operation: Operation, plan: &Plan) -> Result<Taken, Errno> {
    let mut request = used.pool.take().ok_or(Errno(libc::EAGAIN))?;
    // SAFETY: taken from the pool, and ours.
    plan.begin(unsafe { request.as_mut() }, used, operation)?;
    Ok(Taken::Request(request, plan.carrier))
}
