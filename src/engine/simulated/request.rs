//! The program's requests, and what the model knows of each: what was asked for, what the kernel answered, what the program
//! was told.

use core::cell::{RefCell, UnsafeCell};
use core::fmt::{Debug, Formatter, Result as Formatted};
use core::ptr::NonNull;

use super::files::pattern;
use super::moved::Seen;
use super::world::{World, world};
use crate::engine::Carrier;
use crate::engine::operation::{CANCELED, Kind, Operation, Order};
use crate::engine::redo;
use crate::engine::wake_batch::{Eventfd, WakeBatch};

/// A request. It stays until the end of the simulation, so that a second end of it is seen.
#[repr(C)]
pub struct Request {
    operation: UnsafeCell<Operation>,
    pub record: RefCell<Record>,
}

/// Who carried a request out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Uring,
    Worker,
    /// The program's thread, in the call that submits it.
    Caller,
}

#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Record {
    /// The place in the order of the program's calls.
    pub id: usize,
    /// By which a face knows it: the address of its aiocb or iocb.
    pub handle: usize,
    pub kind: Kind,
    pub order: Order,
    /// The engine that it was submitted to.
    pub carrier: Carrier,
    /// The file, and the descriptor that named it.
    pub file: usize,
    pub fd: i32,
    pub offset: i64,
    pub nowait: bool,
    /// io_uring may be given it to be done only if that need not wait.
    pub tries: bool,
    /// It was.
    is_tried: bool,
    /// The kernel has said, while it was asked, that it would have to wait: a worker is sure to find the file.
    is_refused_at_once: bool,
    /// The buffers, each with bytes between that nothing may touch.
    pub memory: Vec<u8>,
    pub pieces: Vec<(usize, usize)>,
    _vectors: Vec<libc::iovec>,
    /// What a call is given of them.
    pub address: usize,
    pub length: usize,
    pub eventfd: Option<usize>,
    /// A device has had it.
    pub is_issued: bool,
    /// The kernel's last answer.
    pub answer: Option<(By, i64)>,
    is_perhaps_synced: bool,
    /// Bytes that were moved in the caller, perhaps for nothing.
    moved_in_caller: usize,
    /// The kernel has done something for it.
    has_effect: bool,
    /// The errors with which the program wanted it to be stopped.
    pub asked: Vec<i64>,
    /// The descriptor was closed since it was submitted.
    pub is_gone: bool,
    /// What it is to have read.
    pub expected: Vec<u8>,
    pub result: Option<i64>,
}

pub const GUARD: u8 = 0xcc;
/// What the program makes of the memory of a request that has ended.
pub const FORGOTTEN: u8 = 0xa5;

/// What to make.
pub struct Wanted {
    pub kind: Kind,
    pub order: Order,
    pub carrier: Carrier,
    pub file: usize,
    pub fd: i32,
    pub offset: i64,
    pub nowait: bool,
    pub tries: bool,
    pub lengths: Vec<usize>,
    pub eventfd: Option<(usize, i32)>,
    pub partially_done: bool,
}

impl Request {
    pub fn new(id: usize, wanted: Wanted) -> Box<Self> {
        let Wanted { kind, order, carrier, file, fd, offset, nowait, tries, lengths, eventfd, partially_done } = wanted;
        let mut memory = vec![GUARD; lengths.iter().map(|length| length + 2).sum::<usize>()];
        let (mut pieces, mut at, mut done) = (Vec::new(), 1, 0);
        for length in lengths {
            pieces.push((at, length));
            if kind.writes() {
                (0..length).for_each(|place| memory[at + place] = pattern(id, done + place));
            }
            (at, done) = (at + length + 2, done + length);
        }
        let base = memory.as_mut_ptr();
        let vector = |&(start, length): &(usize, usize)| libc::iovec {
            iov_base: base.wrapping_add(start).cast(),
            iov_len: length,
        };
        let vectors: Vec<libc::iovec> =
            if kind.has_vector() { pieces.iter().map(vector).collect() } else { Vec::new() };
        let (address, length) = match kind {
            Kind::Read | Kind::Write => (base.wrapping_add(pieces[0].0).expose_provenance(), pieces[0].1),
            Kind::ReadVector | Kind::WriteVector => (vectors.as_ptr().expose_provenance(), vectors.len()),
            // Nothing there is touched: it tells whose a worker's copy is.
            _ => (base.expose_provenance(), 0),
        };
        let mut operation = Operation::new(kind, fd, finish);
        (operation.address, operation.length, operation.offset, operation.order) = (address, length, offset, order);
        operation.rw_flags = if nowait { libc::RWF_NOWAIT } else { 0 };
        operation.file = file as u64 + 1;
        operation.events = if kind == Kind::Poll { libc::POLLIN as u32 } else { 0 };
        operation.try_without_waiting(tries);
        operation.partially_done = partially_done;
        if let Some((_, number)) = eventfd {
            operation.eventfds[Eventfd::Own as usize] = number;
        }
        let record = Record {
            id,
            handle: 0,
            kind,
            order,
            carrier,
            file,
            fd,
            offset,
            nowait,
            tries: operation.tries_without_waiting(),
            is_tried: false,
            is_refused_at_once: false,
            memory,
            pieces,
            _vectors: vectors,
            address,
            length,
            eventfd: eventfd.map(|(file, _)| file),
            is_issued: false,
            answer: None,
            is_perhaps_synced: false,
            moved_in_caller: 0,
            has_effect: false,
            asked: Vec::new(),
            is_gone: false,
            expected: Vec::new(),
            result: None,
        };
        Box::new(Self { operation: UnsafeCell::new(operation), record: RefCell::new(record) })
    }

    pub fn operation(&self) -> NonNull<Operation> {
        NonNull::from(&self.operation).cast()
    }

    /// The request of an operation that a device was given: the program's, or a worker's copy.
    pub fn of(operation: NonNull<Operation>) -> &'static Self {
        // SAFETY: alive, as all that a device is given.
        if unsafe { operation.as_ref() }.is_internal {
            return Self::of(redo::original(operation));
        }
        if let Some(program) = world().program {
            // SAFETY: as above.
            return world().request_of((program.handle)(unsafe { operation.as_ref() }));
        }
        // SAFETY: all others are requests, which stay until the end of the simulation.
        unsafe { operation.cast::<Self>().as_ref() }
    }

    /// A device has it: everything that it has to wait for has ended.
    pub fn issued(&self, world: &World) {
        let mut record = self.record.borrow_mut();
        record.is_issued = true;
        assert!(record.result.is_none(), "{record:?} is issued after its end");
        for other in world.open.borrow().iter() {
            if other.address() == self.address() {
                break;
            }
            other.look(world);
            let other = other.record.borrow();
            assert!(!record.waits_for(&other), "{record:?}\nis issued before the end of\n{other:?}");
        }
    }

    pub fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// The kernel does what was asked for, as far as `most` bytes. What it answers.
    pub fn perform(&self, world: &World, by: By, seen: Seen, most: usize) -> i64 {
        let mut record = self.record.borrow_mut();
        let record = &mut *record;
        record.check(seen, 0);
        assert!(!record.has_effect, "{record:?} is done twice");
        record.has_effect = true;
        let result = match record.kind {
            Kind::Sync | Kind::DataSync | Kind::Nop => 0,
            Kind::Poll => i64::from(libc::POLLIN),
            _ => record.transfer(&mut world.files.borrow_mut(), seen, 0, record.total().min(most)) as i64,
        };
        record.answer = Some((by, result));
        // What was only tried, and stopped short, is done again from the start.
        record.has_effect = by == By::Worker || !record.is_uring_s_own(result);
        result
    }

    /// The program's thread makes a plain call for it, perhaps one that must not wait. What the kernel answers.
    pub fn perform_in_caller(&self, world: &World, seen: Seen, is_nowait: bool) -> isize {
        self.issued(world);
        let mut record = self.record.borrow_mut();
        let record = &mut *record;
        record.is_issued = false;
        let place = if record.kind.writes() { 0 } else { record.moved_in_caller };
        record.check(seen, place);
        assert!(!record.has_effect, "{record:?} is done twice");
        let random = &world.random;
        let errno = match random.below(48) {
            0 => libc::EIO,
            1 if record.kind.writes() => libc::ENOSPC,
            2..12 if is_nowait => libc::EAGAIN,
            12 if is_nowait => libc::EINTR,
            13 if is_nowait && random.one_in(8) => libc::EOPNOTSUPP,
            _ => 0,
        };
        if errno != 0 {
            // Nothing was done, or so much: unless that was only a try.
            let is_end = if place > 0 {
                errno != libc::EAGAIN
            } else {
                !is_nowait || [libc::EIO, libc::ENOSPC].contains(&errno)
            };
            if is_end {
                let result = if place > 0 { place as i64 } else { -i64::from(errno) };
                (record.answer, record.has_effect) = (Some((By::Caller, result)), true);
            }
            return -errno as isize;
        }
        let wanted = seen.total();
        let is_stream = seen.offset < 0;
        let is_short = wanted > 1 && random.one_in(5) && !(is_stream && record.kind.writes());
        let most = if is_short { 1 + random.below(wanted - 1) } else { wanted };
        let count = record.transfer(&mut world.files.borrow_mut(), seen, place, most);
        record.moved_in_caller = place + count;
        if !is_nowait || is_stream || record.kind.writes() || count == 0 || place + count == record.total() {
            (record.answer, record.has_effect) = (Some((By::Caller, (place + count) as i64)), true);
        }
        count as isize
    }

    /// What a plain call is asked to do for it.
    pub fn seen(&self, writes: bool, vectors: &[libc::iovec], offset: i64, file: usize) -> Seen {
        let record = self.record.borrow();
        let are_its = vectors.iter().map(|vector| (vector.iov_base.addr(), vector.iov_len)).eq(record.buffers());
        assert!(are_its && record.kind.writes() == writes, "{record:?} by a call with {vectors:?}");
        Seen { kind: record.kind, address: record.address, length: record.length, offset, file }
    }

    /// A descriptor was synced by a plain call: perhaps for this request.
    pub fn may_be_synced(&self, fd: i32) {
        if let Ok(mut record) = self.record.try_borrow_mut()
            && matches!(record.kind, Kind::Sync | Kind::DataSync)
            && record.fd == fd
            && matches!(record.answer, Some((By::Uring, _)))
        {
            record.is_perhaps_synced = true;
        }
    }

    /// The kernel is asked not to wait, or no longer. Whether that is not what the program asked for.
    pub fn note_nowait(&self, is_nowait: bool) -> bool {
        let mut record = self.record.borrow_mut();
        assert!(record.nowait || record.tries || !is_nowait, "{record:?} is not to wait");
        record.is_tried = is_nowait && !record.nowait;
        record.is_tried
    }

    /// The kernel answers without having done anything.
    pub fn refuse(&self, by: By, result: i64) -> i64 {
        let mut record = self.record.borrow_mut();
        assert!(!record.has_effect, "{record:?} is done again");
        record.answer = Some((by, result));
        result
    }

    /// The same, while the kernel takes the entry.
    pub fn refuse_at_once(&self, result: i64) -> i64 {
        self.record.borrow_mut().is_refused_at_once = true;
        self.refuse(By::Uring, result)
    }

    /// Whether it has ended, for all that the program can know. Its end is held against the model.
    pub fn look(&self, world: &World) -> bool {
        let Ok(record) = self.record.try_borrow() else { return false };
        if record.result.is_none()
            && let Some(result) = world.program.and_then(|program| program.told?(&record))
        {
            drop(record);
            self.ended(world, result);
            return true;
        }
        record.result.is_some()
    }

    /// The program was told.
    pub fn ended(&self, world: &World, result: i64) {
        let mut record = self.record.borrow_mut();
        assert!(record.result.is_none(), "{record:?} ends a second time, with {result}");
        record.result = Some(result);
        assert!(record.may_end_with(world, result), "{record:?} must not end with {result}");
        if !record.kind.writes() {
            let mut memory = vec![GUARD; record.memory.len()];
            let places = record.pieces.iter().flat_map(|&(start, length)| start..start + length);
            places.zip(&record.expected).for_each(|(place, &byte)| memory[place] = byte);
            assert!(record.memory == memory, "{record:?}: wrong bytes");
        }
    }

    /// After the end of the simulation: nothing has touched it since it ended.
    pub fn is_forgotten(&self) -> bool {
        // SAFETY: bytes that were written.
        unsafe { core::slice::from_raw_parts(self.operation.get().cast::<u8>(), size_of::<Operation>()) }
            .iter()
            .all(|&byte| byte == FORGOTTEN)
    }
}

impl Debug for Record {
    fn fmt(&self, to: &mut Formatter) -> Formatted {
        let Self { id, kind, order, carrier, file, fd, offset, answer, result, .. } = self;
        write!(to, "request {id}: {kind:?} {order:?} by {carrier:?} on file {file}, descriptor {fd}, at {offset}")?;
        let lengths: Vec<usize> = self.pieces.iter().map(|piece| piece.1).collect();
        write!(to, ", {lengths:?} bytes, answer {answer:?}, result {result:?}")?;
        let flags = [
            (self.nowait, "RWF_NOWAIT"),
            (self.is_gone, "its descriptor was closed"),
            (self.is_issued, "issued"),
            (self.has_effect, "done"),
        ];
        flags.iter().filter(|flag| flag.0).try_for_each(|flag| write!(to, ", {}", flag.1))?;
        if self.asked.is_empty() { Ok(()) } else { write!(to, ", to be stopped with {:?}", self.asked) }
    }
}

impl Record {
    /// Whether this must not begin before `earlier`, which was submitted before, has ended (ARCHITECTURE.md, `order`).
    pub fn waits_for(&self, earlier: &Self) -> bool {
        if self.file != earlier.file || earlier.is_decided() {
            return false;
        }
        // Which engine it is makes no difference to a program.
        let same = world().program.is_some() || self.carrier == earlier.carrier;
        match self.order {
            Order::Free | Order::Counted => false,
            Order::Reading | Order::Writing => same && self.order == earlier.order,
            Order::Barrier => same && matches!(earlier.order, Order::Counted | Order::Writing),
            Order::BarrierEverywhere => matches!(earlier.order, Order::Counted | Order::Writing),
        }
    }

    /// Whether it may have ended as it was accepted, in the program of a face that has not looked yet.
    fn is_perhaps_refused(&self, world: &World) -> bool {
        let is_refused = world.is_lost.get() || (self.eventfd.is_some() && world.has_refused_file.get());
        world.program.is_some() && self.answer.is_none() && is_refused
    }

    /// Whether io_uring, which has been taken away, may have begun it, or nothing can do it but io_uring.
    fn is_perhaps_cut_off(&self, world: &World) -> bool {
        world.is_lost.get() && (self.is_issued || world.has_refused_thread.get())
    }

    /// Whether the last answer is for the program.
    fn is_decided(&self) -> bool {
        self.result.is_some()
            || self.answer.is_some_and(|(by, result)| by != By::Uring || !self.is_uring_s_own(result))
            || self.is_gone
            || self.is_perhaps_synced
            // A cancellation has dropped it.
            || (!self.is_issued && !self.asked.is_empty())
            || self.is_perhaps_refused(world())
    }

    /// Whether an answer of io_uring's is none of the program's business (`uring::results`).
    fn is_uring_s_own(&self, result: i64) -> bool {
        if self.is_tried && result >= 0 {
            return result < self.pieces.iter().map(|piece| piece.1 as i64).sum();
        }
        let result = -result as i32;
        match result {
            libc::EAGAIN => !self.nowait,
            libc::ECANCELED | libc::EINTR => self.asked.is_empty(),
            libc::EACCES | libc::EPERM | libc::EOPNOTSUPP | libc::ENOMEM | 512..=516 => true,
            _ => false,
        }
    }

    fn may_end_with(&self, world: &World, result: i64) -> bool {
        let is_stopped = self.asked.contains(&-result);
        let is = |errno: i32| result == -i64::from(errno);
        // What is told where no answer is known (`redo::lost`).
        let is_unknown = is(libc::EIO) || (self.nowait && is(libc::EAGAIN));
        match self.answer {
            Some((_, answer)) if self.has_effect => result == answer,
            Some((By::Caller, _)) => false,
            Some((By::Uring, answer)) if self.is_uring_s_own(answer) => {
                (self.is_gone && result >= 0 && result == answer)
                    || (self.is_gone && !self.is_refused_at_once && is_unknown)
                    || (world.is_lost.get() && (is(libc::EIO) || is_stopped))
                    || (self.is_perhaps_synced && result == 0)
            }
            Some((_, answer))
                if !self.asked.is_empty() && (answer == CANCELED || answer == -i64::from(libc::EINTR)) =>
            {
                is_stopped || result == answer || (self.is_gone && is_unknown)
            }
            Some((_, answer)) => result == answer || (self.is_gone && is_unknown),
            None => {
                is_stopped
                    || (self.kind == Kind::Nop && result == 0)
                    // libaio's, where no thread can be had: in the caller.
                    || (world.program.is_some() && world.has_refused_thread.get() && !self.kind.is_transfer() && result == 0)
                    || (self.is_gone && world.has_refused_file.get() && (is(libc::EBADF) || is_unknown))
                    || (self.eventfd.is_some() && world.has_refused_file.get() && is(libc::ENFILE))
                    || (self.is_perhaps_cut_off(world) && is(libc::EIO))
                    || (world.has_refused_thread.get() && is(libc::EAGAIN))
            }
        }
    }

    /// Whether a command means it that is for a descriptor, or for each of so many; not if it is only a notification.
    pub fn is_meant(&self, fd: i32, share: usize) -> bool {
        self.kind != Kind::Nop && if share == 0 { self.fd == fd } else { self.id.is_multiple_of(share) }
    }

    /// Whether its buffers are here, for a worker's copy of it, or a call.
    pub fn is_at(&self, address: usize) -> bool {
        self.address == address
            || (self.kind.is_transfer()
                && self.buffers().any(|(start, length)| start == address || (start..start + length).contains(&address)))
    }

    /// Where its buffers are, and how long.
    fn buffers(&self) -> impl Iterator<Item = (usize, usize)> {
        let base = self.memory.as_ptr().addr();
        self.pieces.iter().map(move |&(start, length)| (base + start, length))
    }

    /// Whether it was told as stopped, and nothing was done for it.
    pub fn is_stopped(&self) -> bool {
        !self.has_effect && self.result.is_some_and(|result| self.asked.contains(&-result))
    }
}

/// The program is told.
unsafe fn finish(operation: NonNull<Operation>, result: i64, wakes: &mut WakeBatch) {
    let world = world();
    // SAFETY: the first field of a request.
    let request: &'static Request = unsafe { operation.cast::<Request>().as_ref() };
    request.ended(world, result);
    world.forget(request);
    if let Some(eventfd) = request.record.borrow().eventfd
        && !world.random.one_in(4)
    {
        world.expect_signal(eventfd);
        wakes.signal_eventfd(Eventfd::Own);
    }
    // SAFETY: the program's own again.
    unsafe { operation.cast::<u8>().write_bytes(FORGOTTEN, size_of::<Operation>()) };
}
