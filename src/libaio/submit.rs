//! `io_submit`: iocbs in their order, each done in place or handed to the engine, until one is refused.

use core::ptr::NonNull;

use super::context::{Context, Used};
use super::contexts;
use super::event_ring::Event;
use super::in_place::{self, Attempt, Transfer};
use super::iocb::{Iocb, RESFD, check_rw_flags, opcode, rwf};
use super::opened::{self, Opened};
use super::request::Request;
use super::streams::Streams;
use super::{memory, redirect};
use crate::engine::private::{Batch, Ring};
use crate::engine::{self, Engine, Kind, MOST_BYTES, Operation, Order, Wakes};
use crate::host::files;
use crate::host::futex;
use crate::host::kernel::Errno;
use crate::stats::{self, Action, Face, Lane, probes};

/// What became of an iocb that was not refused.
enum Taken {
    /// It is done, with this result.
    Done(i64),
    /// It goes to the engine.
    Request(NonNull<Request>),
}

/// `io_submit(2)`: how many iocbs were taken.
///
/// # Errors
/// Why the first was refused.
pub fn submit(used: &Used, nr: isize, list: usize) -> Result<usize, Errno> {
    let nr = usize::try_from(nr).map_err(|_| Errno(libc::EINVAL))?;
    let engine = contexts::engine().ok_or(Errno(libc::EINVAL))?;
    let nr = nr.min(used.ring().nr() as usize);
    let mine = used.begin_call();
    let mut chain = Chain { engine, newest: None, oldest: None, pushed: false, mine, alone: nr == 1, batch: None };
    let (mut taken, mut room) = (0, 0);
    let mut refused = None;
    while taken < nr {
        match one(used, list, taken, nr, &mut room, &mut chain) {
            Ok(()) => taken += 1,
            Err(errno) => {
                refused = Some(errno);
                break;
            }
        }
    }
    if taken > 0 {
        stats::submitted(Face::Libaio, taken as u64);
    }
    chain.push();
    used.unreserve(room);
    if mine {
        used.end_submit();
    }
    if chain.pushed && !redirect::sees_closes() {
        // The program may close or change the descriptor at once, and we would not notice.
        engine.settle();
    }
    match refused {
        Some(errno) if taken == 0 => Err(errno),
        _ => Ok(taken),
    }
}

/// Requests on their way to the engine.
struct Chain {
    engine: &'static Engine,
    newest: Option<NonNull<Request>>,
    oldest: Option<NonNull<Request>>,
    /// Something went to the engine, or to another thread.
    pushed: bool,
    /// Whether the calling thread is the only one that uses the context.
    mine: bool,
    /// Whether there is only one.
    alone: bool,
    /// What goes by the calling thread's own ring.
    batch: Option<Batch>,
}

impl Chain {
    fn add(&mut self, request: NonNull<Request>) {
        match self.newest {
            // SAFETY: both are whole, and not submitted yet.
            Some(older) => unsafe { engine::chain(older.cast(), request.cast()) },
            None => self.oldest = Some(request),
        }
        self.newest = Some(request);
    }

    /// Adds a request to what goes by the calling thread's own ring. False: it has none, or no room.
    #[inline]
    fn add_private(&mut self, used: &Used, request: NonNull<Request>) -> bool {
        if self.batch.is_none() {
            self.batch = used.private_ring(self.mine).and_then(Ring::begin);
        }
        // SAFETY: the request is the caller's, and whole.
        self.batch.as_mut().is_some_and(|batch| unsafe { add_to_batch(batch, used, request) })
    }

    fn push(&mut self) {
        if let Some(batch) = self.batch.take() {
            batch.submit();
        }
        if let (Some(newest), Some(oldest)) = (self.newest.take(), self.oldest.take()) {
            self.pushed = true;
            // SAFETY: requests stay until they are finished; their buffers are the program's.
            unsafe { self.engine.submit_chain(newest.cast(), oldest.cast()) };
        }
    }
}

/// Adds a request to what goes by the calling thread's own ring. False: there is no room.
///
/// # Safety
/// The request is the caller's, and whole.
#[inline]
pub unsafe fn add_to_batch(batch: &mut Batch, context: &Context, mut request: NonNull<Request>) -> bool {
    // SAFETY: the caller's promise.
    unsafe { request.as_mut().operation.assume_init_mut() }.finish = finish_private;
    // SAFETY: requests stay until they are finished; their buffers are the program's.
    let added = unsafe { batch.add(request.cast()) };
    if added {
        context.habit.0.submitted();
    } else {
        // SAFETY: as above.
        unsafe { request.as_mut().operation.assume_init_mut() }.finish = finish;
    }
    added
}

/// Takes the iocb at `index`. `room` is what has been reserved and not used.
#[inline]
fn one(used: &Used, list: usize, index: usize, nr: usize, room: &mut u32, chain: &mut Chain) -> Result<(), Errno> {
    let (iocb, address) = Iocb::read(list, index)?;
    if index + 1 < nr {
        Iocb::expect(list, index + 1);
    }
    iocb.check()?;
    if *room == 0 {
        *room = used.reserve((nr - index) as u32);
        if *room == 0 {
            return Err(Errno(libc::EAGAIN));
        }
    }
    let file = opened::opened(iocb.fd)?;
    let bell = if iocb.flags & RESFD == 0 { None } else { Some(opened::opened(iocb.resfd)?) };
    if bell.is_some_and(|bell| !bell.is_eventfd()) {
        return Err(Errno(libc::EINVAL));
    }
    Iocb::mark_taken(address)?;
    let stamp = stats::stamp();
    let taken = match iocb.opcode {
        opcode::PREAD => single(used, &iocb, file, Kind::Read, chain),
        opcode::PWRITE => single(used, &iocb, file, Kind::Write, chain),
        opcode::PREADV => vectored(used, &iocb, file, Kind::ReadVector, chain),
        opcode::PWRITEV => vectored(used, &iocb, file, Kind::WriteVector, chain),
        opcode::FSYNC => sync(used, &iocb, file, Kind::Sync),
        opcode::FDSYNC => sync(used, &iocb, file, Kind::DataSync),
        opcode::POLL => poll(used, &iocb, file),
        _ => Err(Errno(libc::EINVAL)),
    }?;
    *room -= 1;
    let action = action(iocb.opcode);
    probes::submit(Face::Libaio, action, iocb.fd, address, iocb.length as usize, iocb.offset);
    let event = Event { data: iocb.data, object: address as u64, result: 0, result2: 0 };
    match taken {
        Taken::Done(result) => {
            stats::in_place(Face::Libaio, action, result);
            stats::timed(Lane::InPlace, stamp);
            probes::complete(Face::Libaio, address, result);
            if used.complete(&Event { result, ..event }) {
                futex::wake_all(used.word());
            }
            if let Some(bell) = bell {
                in_place::ring(iocb.resfd, bell);
                stats::notified(stats::Notice::Eventfd, 1);
            }
        }
        Taken::Request(mut request) => {
            // SAFETY: ours until it is pushed; its operation is there.
            let operation = unsafe {
                let this = request.as_mut();
                this.note(&event);
                this.operation.assume_init_mut()
            };
            operation.face = Face::Libaio;
            if bell.is_some() {
                operation.eventfd = iocb.resfd;
            }
            let private = bell.is_none() && operation.may_be_private();
            if private && chain.add_private(used, request) {
                return Ok(());
            }
            // SAFETY: the request is ours, and whole.
            if private && chain.alone && unsafe { used.hand_over(request) } {
                chain.pushed = true;
            } else {
                chain.add(request);
            }
        }
    }
    Ok(())
}

/// Under which heading an iocb is counted.
const fn action(opcode: u16) -> Action {
    match opcode {
        opcode::PREAD => Action::Read,
        opcode::PWRITE => Action::Write,
        opcode::PREADV => Action::ReadVector,
        opcode::PWRITEV => Action::WriteVector,
        opcode::FSYNC => Action::Sync,
        opcode::FDSYNC => Action::DataSync,
        _ => Action::Poll,
    }
}

/// What reads and writes of all kinds check, in the kernel's order. Gives the priority and the flags.
fn check_transfer(iocb: &Iocb, file: Opened, writes: bool) -> Result<(u16, i32), Errno> {
    let priority = iocb.io_priority()?;
    check_rw_flags(iocb.fd, file, writes, iocb.rw_flags)?;
    if !(if writes { file.writes() } else { file.reads() }) {
        return Err(Errno(libc::EBADF));
    }
    // A directory has no bytes.
    if !file.seeks() && !file.streams() {
        return Err(Errno(libc::EINVAL));
    }
    Ok((priority, iocb.rw_flags & !rwf::HIPRI))
}

#[inline]
fn single(used: &Used, iocb: &Iocb, file: Opened, kind: Kind, chain: &mut Chain) -> Result<Taken, Errno> {
    let writes = kind == Kind::Write;
    let (priority, flags) = check_transfer(iocb, file, writes)?;
    let length = (iocb.length as usize).min(MOST_BYTES);
    memory::in_user_space(iocb.buffer as usize, length)?;
    iocb.check_position(length)?;
    let vector = libc::iovec { iov_base: iocb.buffer as *mut _, iov_len: length };
    let transfer = Transfer { fd: iocb.fd, file, vectors: &[vector], total: length, offset: iocb.offset, flags };
    let plan = attempt(&transfer, writes, chain);
    let moved = match plan.attempt {
        Attempt::Done(result) => return Ok(Taken::Done(result)),
        Attempt::Left => 0,
        Attempt::Partly(moved) => moved,
    };
    let mut request = used.pool.take().ok_or(Errno(libc::EAGAIN))?;
    let mut operation = Operation::new(kind, iocb.fd, finish);
    operation.address = iocb.buffer as usize + moved;
    operation.length = length - moved;
    plan.fill(&mut operation, &transfer, priority);
    // SAFETY: taken from the pool, and ours.
    plan.begin(unsafe { request.as_mut() }, used, operation, moved);
    Ok(Taken::Request(request))
}

#[cold]
fn vectored(used: &Used, iocb: &Iocb, file: Opened, kind: Kind, chain: &mut Chain) -> Result<Taken, Errno> {
    let writes = kind == Kind::WriteVector;
    let (priority, flags) = check_transfer(iocb, file, writes)?;
    let mut request = used.pool.take().ok_or(Errno(libc::EAGAIN))?;
    // SAFETY: taken from the pool, and ours.
    let this = unsafe { request.as_mut() };
    let taken = (|| {
        let (first, mut count, total) = iocb.copy_vectors(|count| this.vectors(count))?;
        iocb.check_position(total)?;
        // SAFETY: as many have just been written there.
        let vectors = unsafe { core::slice::from_raw_parts_mut(first, count) };
        let transfer = Transfer { fd: iocb.fd, file, vectors, total, offset: iocb.offset, flags };
        let plan = attempt(&transfer, writes, chain);
        let mut operation = Operation::new(kind, iocb.fd, finish);
        plan.fill(&mut operation, &transfer, priority);
        let (mut at, mut moved) = (first, 0);
        match plan.attempt {
            Attempt::Done(result) => return Ok(Taken::Done(result)),
            Attempt::Left => {}
            Attempt::Partly(partly) => {
                moved = partly;
                (at, count) = advance(vectors, moved);
            }
        }
        (operation.address, operation.length) = (at as usize, count);
        plan.begin(this, used, operation, moved);
        Ok(Taken::Request(request))
    })();
    if !matches!(taken, Ok(Taken::Request(_))) {
        used.pool.put(request);
    }
    taken
}

/// Where the buffers go on after `moved` bytes.
fn advance(vectors: &mut [libc::iovec], mut moved: usize) -> (*mut libc::iovec, usize) {
    let mut first = 0;
    while first < vectors.len() && moved >= vectors[first].iov_len {
        moved -= vectors[first].iov_len;
        first += 1;
    }
    let rest = &mut vectors[first..];
    if let Some(vector) = rest.first_mut() {
        vector.iov_base = vector.iov_base.wrapping_byte_add(moved);
        vector.iov_len -= moved;
    }
    (rest.as_mut_ptr(), rest.len())
}

/// The way of a read or write, after what could be done in place.
struct Plan {
    attempt: Attempt,
    order: Order,
    /// The file's identity, where there is an order.
    identity: u64,
    /// It may wait for ever.
    endless: bool,
}

impl Plan {
    fn fill(&self, operation: &mut Operation, transfer: &Transfer, priority: u16) {
        operation.offset = transfer.offset;
        operation.rw_flags = transfer.flags;
        operation.priority = priority;
        operation.order = self.order;
        operation.file = self.identity;
        operation.slow = transfer.file.seeks() && !transfer.file.is_local();
        operation.nonblocking = transfer.file.is_nonblocking() && transfer.file.streams();
        operation.direct = transfer.file.is_direct() && transfer.file.seeks() && transfer.file.is_local();
    }

    /// Gives the request its operation. It is about to go to the engine.
    fn begin(&self, request: &mut Request, used: &Used, operation: Operation, moved: usize) {
        request.context = core::ptr::from_ref::<Context>(used.context());
        request.result = moved as i32;
        if moved > 0
            && let Some(action) = operation.kind.action()
        {
            stats::moved(action, moved as u64);
        }
        request.stream = None;
        request.endless = self.endless;
        if self.order != Order::Free
            && let Some(streams) = contexts::streams()
        {
            let place = Streams::place(self.identity, self.order == Order::Writing);
            streams.begin(place);
            request.stream = Some(place);
        }
        request.operation.write(operation);
    }
}

/// Does in place what can be, and says how the rest has to go.
#[inline]
fn attempt(transfer: &Transfer, writes: bool, chain: &mut Chain) -> Plan {
    let file = transfer.file;
    let free = |attempt| Plan { attempt, order: Order::Free, identity: 0, endless: false };
    if file.seeks() {
        if !writes {
            return free(transfer.read());
        }
        let appends = (file.appends() && transfer.flags & rwf::NOAPPEND == 0) || transfer.flags & rwf::APPEND != 0;
        if !appends {
            if !file.is_direct() {
                // A write may take a while: what goes to the engine goes before it.
                chain.push();
            }
            return free(transfer.write());
        }
    }
    ordered(transfer, writes, chain)
}

/// Streams and appending writes: in place only where nothing of ours can be overtaken.
#[cold]
fn ordered(transfer: &Transfer, writes: bool, chain: &mut Chain) -> Plan {
    chain.push();
    let identity = files::facts(transfer.fd).map_or(0, |facts| facts.identity);
    let order = if writes { Order::Writing } else { Order::Reading };
    let idle = contexts::streams().is_some_and(|streams| streams.is_idle(Streams::place(identity, writes)));
    let attempt = match (idle, transfer.file.seeks(), writes) {
        (false, ..) => Attempt::Left,
        (true, true, _) => transfer.write(),
        (true, false, true) => transfer.send(),
        (true, false, false) => transfer.receive(),
    };
    Plan { attempt, order, identity, endless: !transfer.file.seeks() }
}

fn sync(used: &Used, iocb: &Iocb, file: Opened, kind: Kind) -> Result<Taken, Errno> {
    iocb.check_sync(file)?;
    plain(used, Operation::new(kind, iocb.fd, finish))
}

fn poll(used: &Used, iocb: &Iocb, file: Opened) -> Result<Taken, Errno> {
    iocb.check_poll()?;
    let events = iocb.buffer as u16;
    if let Attempt::Done(result) = in_place::poll(iocb.fd, events) {
        return Ok(Taken::Done(result));
    }
    // Nothing ever changes there that could be waited for.
    if !file.streams() {
        return Err(Errno(libc::EINVAL));
    }
    let mut operation = Operation::new(Kind::Poll, iocb.fd, finish);
    operation.events = events.into();
    plain(used, operation)
}

fn plain(used: &Used, operation: Operation) -> Result<Taken, Errno> {
    let mut request = used.pool.take().ok_or(Errno(libc::EAGAIN))?;
    let endless = operation.kind == Kind::Poll;
    let plan = Plan { attempt: Attempt::Left, order: Order::Free, identity: 0, endless };
    // SAFETY: taken from the pool, and ours.
    plan.begin(unsafe { request.as_mut() }, used, operation, 0);
    Ok(Taken::Request(request))
}

/// The end of a request that went to the engine: its event is put into the ring, by the engine's thread.
pub unsafe fn finish(operation: NonNull<Operation>, result: i64, wakes: &mut Wakes) {
    // SAFETY: the caller's promise is the same.
    unsafe { complete(operation, result, wakes, false) };
}

/// Ends a request, in the `same` thread that has submitted it, or another.
///
/// # Safety
/// As for a [`Finish`](engine::Finish).
#[inline]
unsafe fn complete(operation: NonNull<Operation>, result: i64, wakes: &mut Wakes, same: bool) {
    let mut request = operation.cast::<Request>();
    // SAFETY: the operation is the first field of a request, which is the engine's thread's until it is completed. The
    // context stays as long as it has requests.
    let (this, context) = unsafe {
        let this = request.as_mut();
        let context = &*this.context;
        (this, context)
    };
    // SAFETY: it was submitted.
    let operation = unsafe { this.operation.assume_init_ref() };
    let (kind, has_bell) = (operation.kind, operation.eventfd >= 0);
    if let (Some(place), Some(streams)) = (this.stream, contexts::streams()) {
        streams.done(place);
    }
    let moved = i64::from(this.result);
    let result = match result {
        // As the kernel's AIO ends a cancelled poll (measured on Linux 6.18).
        result if kind == Kind::Poll && result == -i64::from(libc::ECANCELED) => 0,
        // Part of it had been written in place.
        result if moved > 0 => moved + result.max(0),
        result => result,
    };
    this.result = result as i32;
    probes::complete(Face::Libaio, this.object as usize, result);
    // SAFETY: the request is ours, of this context.
    if unsafe { context.complete_request(request, same) } {
        wakes.wake(context.word(), u32::MAX);
    }
    if has_bell {
        // The event comes first. Whoever is writing events needs a moment, and if he was interrupted he is not waited for.
        for _ in 0..100 {
            if !context.is_being_written() {
                break;
            }
            futex::linger();
        }
        wakes.ring();
    }
}

/// The end of a request that went by a private ring: in a call of the program's thread, mostly.
unsafe fn finish_private(operation: NonNull<Operation>, result: i64, wakes: &mut Wakes) {
    // SAFETY: as in `finish`. The context has a request less only when the event is there, and stays until then.
    unsafe {
        let context = &*operation.cast::<Request>().as_ref().context;
        complete(operation, result, wakes, true);
        context.habit.0.completed();
    }
}

/// Whether an operation is one of this face's: its request.
pub fn request_of(operation: NonNull<Operation>) -> Option<NonNull<Request>> {
    // SAFETY: the caller has a live operation.
    let theirs = unsafe { operation.as_ref() }.finish;
    let ours = core::ptr::fn_addr_eq(theirs, finish as engine::Finish)
        || core::ptr::fn_addr_eq(theirs, finish_private as engine::Finish);
    ours.then(|| operation.cast())
}
