//! The kernel's side of an io_uring: takes entries out of its memory, and puts completions in, in any order.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};
use std::collections::VecDeque;

use io_uring::opcode;

use super::files::DOORBELL;
use super::moved::Seen;
use super::request::{By, Request};
use super::world::World;
use crate::engine::fixed_files::FixedFile;
use crate::engine::operation::{Kind, Operation};
use crate::engine::ring_layout::{
    CompletionEntry, CompletionOffsets, FEATURE_EXT_ARG, Parameters, SubmissionOffsets, Update,
};
use crate::engine::uring::{Doorbell, FileTableAccess, RingName, Uring};
use crate::host::kernel::Errno;

/// By which the simulated kernel knows its ring. `IORING_ENTER_REGISTERED_RING` goes with it.
pub const NUMBER: u32 = 0x5151_5151;
const REGISTERED: u32 = 1 << 4;
const REGISTERED_REGISTER: u32 = 1 << 31;

const SUBMISSIONS: u32 = 16;
const COMPLETIONS: u32 = 128;
/// How many fit where more are an error. Less than the queue would hold: it is to happen.
const STRICT_COMPLETIONS: u32 = 72;
const FILES: u32 = 512;
const HEADER: u32 = 64;

/// An entry, as far as it is used (`struct io_uring_sqe`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct Entry {
    code: u8,
    flags: u8,
    priority: u16,
    fd: i32,
    offset: i64,
    address: u64,
    length: u32,
    operation_flags: u32,
    data: u64,
    rest: [u64; 3],
}

const FIXED_FILE: u8 = 1;
const ASYNC: u8 = 1 << 4;

/// A transfer or fsync that the kernel has.
struct Flying {
    data: u64,
    seen: Seen,
    /// It may not be refused with `EAGAIN` for ever.
    is_async: bool,
}

pub struct Ring {
    rings: *mut c_void,
    entries: *mut Entry,
    table: Vec<Option<usize>>,
    flying: Vec<Flying>,
    /// Answers to cancellations, and the like, that are still to come.
    later: Vec<(u64, i32)>,
    /// For which the queue has no room.
    overflow: VecDeque<(u64, i32)>,
    /// The word that it waits on, and the user data; the same for a poll of the doorbell's signal.
    armed: Option<(usize, u64)>,
    signalled: bool,
    /// Completions that the queue may not hold are an error, as they were before Linux 5.12.
    is_strict: bool,
    pub is_lost: bool,
}

impl Ring {
    /// A ring, and the device on it.
    pub fn new(world: &World, futex: &'static AtomicU32) -> (Self, Uring) {
        let random = &world.random;
        let parameters = Parameters {
            submissions: SUBMISSIONS,
            completions: COMPLETIONS,
            features: if random.one_in(4) { 0 } else { FEATURE_EXT_ARG },
            submission: SubmissionOffsets { head: 0, tail: 4, ..SubmissionOffsets::default() },
            completion: CompletionOffsets { head: 8, tail: 12, completions: HEADER, ..CompletionOffsets::default() },
            ..Parameters::default()
        };
        let by_entry = random.one_in(4);
        let table =
            if by_entry { FileTableAccess::ByEntry } else { FileTableAccess::ByCall(NUMBER, REGISTERED_REGISTER) };
        let doorbell = if random.one_in(4) { Doorbell::Signal(FILES) } else { Doorbell::Futex };
        let bytes = HEADER as usize + COMPLETIONS as usize * size_of::<CompletionEntry>();
        let name = RingName { enter: (NUMBER, REGISTERED), table };
        let (device, [rings, entries]) = Uring::simulated(parameters, bytes, name, (FILES, doorbell), futex);
        let mut files = vec![None; FILES as usize + 1];
        files[FILES as usize] = Some(DOORBELL);
        let this = Self {
            rings,
            entries: entries.cast(),
            table: files,
            flying: Vec::new(),
            later: Vec::new(),
            overflow: VecDeque::new(),
            armed: None,
            signalled: false,
            is_strict: random.one_in(4),
            is_lost: false,
        };
        (this, device)
    }

    fn word(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: within the ring's memory, which the device has as long as this exists.
        unsafe { &*self.rings.byte_add(offset).cast::<AtomicU32>() }
    }

    /// Whether the program's side has completions to look at.
    pub fn has_completions(&self) -> bool {
        self.word(8).load(Ordering::Relaxed) != self.word(12).load(Ordering::Relaxed) || !self.overflow.is_empty()
    }

    /// Whether anything is under way but the doorbell.
    pub fn is_busy(&self) -> bool {
        !self.flying.is_empty() || !self.later.is_empty() || !self.overflow.is_empty()
    }

    /// Slots that hold a file, but the doorbell's.
    pub fn held(&self) -> usize {
        self.table[..FILES as usize].iter().flatten().count()
    }

    fn complete(&mut self, data: u64, result: i32) {
        self.overflow.push_back((data, result));
        self.flush_overflow();
    }

    fn flush_overflow(&mut self) {
        while let Some(&(data, result)) = self.overflow.front() {
            let (head, tail) = (self.word(8).load(Ordering::Relaxed), self.word(12).load(Ordering::Relaxed));
            if tail.wrapping_sub(head) >= if self.is_strict { STRICT_COMPLETIONS } else { COMPLETIONS } {
                return;
            }
            // SAFETY: within the ring's memory.
            let entry = unsafe {
                &*self.rings.byte_add(HEADER as usize).cast::<CompletionEntry>().add((tail % COMPLETIONS) as usize)
            };
            entry.user_data.store(data, Ordering::Relaxed);
            entry.result.store(result, Ordering::Relaxed);
            self.word(12).store(tail.wrapping_add(1), Ordering::Relaxed);
            self.overflow.pop_front();
        }
    }

    /// `io_uring_enter`.
    pub fn enter(&mut self, world: &World, &[_, submit, want, _, argument, _]: &[usize; 6]) -> isize {
        let random = &world.random;
        if self.is_lost {
            return -libc::EPERM as isize;
        }
        self.flush_overflow();
        let is_full = self.is_strict && !self.overflow.is_empty();
        let hinders = if is_full { Some(libc::EBUSY) } else { None };
        let hinders = hinders.or_else(|| {
            (!world.is_calm.get() && random.one_in(24))
                .then(|| random.of(&[libc::EAGAIN, libc::EINTR, libc::ENOMEM, libc::EBUSY]))
        });
        if submit > 0
            && let Some(errno) = hinders
        {
            return -errno as isize;
        }
        let queued = self.word(4).load(Ordering::Relaxed).wrapping_sub(self.word(0).load(Ordering::Relaxed));
        let mut taken = 0;
        while taken < submit.min(queued as usize) {
            if taken > 0 && !world.is_calm.get() && random.one_in(32) {
                break;
            }
            let head = self.word(0).load(Ordering::Relaxed);
            // SAFETY: within the entries.
            let entry = unsafe { ptr::read(self.entries.add((head % SUBMISSIONS) as usize)) };
            self.word(0).store(head.wrapping_add(1), Ordering::Relaxed);
            taken += 1;
            self.take(world, &entry);
        }
        if taken == 0 && want > 0 && !self.has_completions() {
            return if argument == 0 { -libc::EINTR as isize } else { -libc::ETIME as isize };
        }
        taken as isize
    }

    fn take(&mut self, world: &World, entry: &Entry) {
        let random = &world.random;
        let file = match entry.flags & FIXED_FILE {
            0 => world.files.borrow().named(entry.fd),
            _ => self.table.get(entry.fd as usize).copied().flatten(),
        };
        let kind = match entry.code {
            opcode::Read::CODE => Kind::Read,
            opcode::Write::CODE => Kind::Write,
            opcode::Readv::CODE => Kind::ReadVector,
            opcode::Writev::CODE => Kind::WriteVector,
            opcode::Fsync::CODE if entry.operation_flags == 0 => Kind::Sync,
            opcode::Fsync::CODE => Kind::DataSync,
            opcode::AsyncCancel::CODE => return self.cancel(world, entry),
            opcode::FilesUpdate::CODE => {
                // SAFETY: the entry's descriptor.
                let fd = unsafe { *(entry.address as *const i32) };
                let result = self.set_file(world, entry.offset as u32 as usize, fd);
                return self.complete(entry.data, result.map_or_else(|errno| -errno.0, |()| 1));
            }
            opcode::FutexWait::CODE => {
                // SAFETY: the doorbell.
                let now = unsafe { &*(entry.address as *const AtomicU32) }.load(Ordering::Relaxed);
                if u64::from(now) != entry.offset as u64 {
                    return self.complete(entry.data, -libc::EAGAIN);
                }
                assert!(self.armed.is_none(), "the ring waits for the doorbell twice");
                self.armed = Some((entry.address as usize, entry.data));
                return;
            }
            opcode::PollAdd::CODE => {
                assert_eq!(file, Some(DOORBELL));
                self.armed = Some((0, entry.data));
                return self.look_for_signal();
            }
            code => panic!("an entry with operation {code}"),
        };
        let seen = Seen {
            kind,
            address: entry.address as usize,
            length: entry.length as usize,
            offset: entry.offset,
            file: file.unwrap_or(usize::MAX),
        };
        if entry.data & 7 != 0 {
            // A signal to an eventfd, which does not wait.
            // SAFETY: the amount of a signal that is under way.
            let amount = unsafe { *(seen.address as *const u64) };
            world.signal(seen.file, amount);
            return self.complete(entry.data, 8);
        }
        assert!(entry.data != 0, "an operation without an address");
        let request = Self::request(entry.data);
        if file.is_none() {
            request.refuse(By::Uring, -i64::from(libc::EBADF));
            return self.complete(entry.data, -libc::EBADF);
        }
        request.issued(world);
        let is_sync = matches!(kind, Kind::Sync | Kind::DataSync);
        assert!(!is_sync || world.has_refused_thread.get(), "io_uring is given an fsync, which workers are there for");
        let is_nowait = kind.is_transfer() && entry.operation_flags & libc::RWF_NOWAIT as u32 != 0;
        if request.note_nowait(is_nowait) && random.one_in(3) {
            let result = -random.of(&[libc::EAGAIN, libc::EAGAIN, libc::EOPNOTSUPP]);
            request.refuse_at_once(result.into());
            return self.complete(entry.data, result);
        }
        self.flying.push(Flying { data: entry.data, seen, is_async: entry.flags & ASYNC != 0 });
    }

    fn request(data: u64) -> &'static Request {
        Request::of(ptr::NonNull::new(data as *mut Operation).expect("an operation"))
    }

    fn cancel(&mut self, world: &World, entry: &Entry) {
        let random = &world.random;
        let Some(index) = self.flying.iter().position(|flying| flying.data == entry.address) else {
            self.later.push((entry.data, -libc::ENOENT));
            return;
        };
        let (how, data) = (random.below(4), entry.data);
        if how < 2 {
            let result = if how == 0 { -libc::ECANCELED } else { -libc::EINTR };
            let target = self.flying.swap_remove(index).data;
            Self::request(target).refuse(By::Uring, result.into());
            for (data, result) in [(target, result), (data, 0)] {
                if random.one_in(2) {
                    self.complete(data, result);
                } else {
                    self.later.push((data, result));
                }
            }
        } else {
            self.complete(data, -libc::EALREADY);
        }
    }

    /// Something completes that was under way. Whether there was anything.
    pub fn progress(&mut self, world: &World) -> bool {
        let random = &world.random;
        let choice = random.below(self.flying.len() + self.later.len());
        if choice < self.later.len() {
            let (data, result) = self.later.swap_remove(choice);
            self.complete(data, result);
            return true;
        }
        if self.flying.is_empty() {
            return false;
        }
        let Flying { data, seen, is_async } = self.flying.swap_remove(choice - self.later.len());
        self.complete(data, Self::outcome(world, Self::request(data), seen, is_async) as i32);
        true
    }

    /// What the kernel makes of a request.
    fn outcome(world: &World, request: &Request, seen: Seen, is_async: bool) -> i64 {
        const OWN: [i32; 13] = [
            libc::EAGAIN,
            libc::EAGAIN,
            libc::EINTR,
            libc::ECANCELED,
            libc::EACCES,
            libc::EPERM,
            libc::EOPNOTSUPP,
            libc::ENOMEM,
            512,
            513,
            514,
            515,
            516,
        ];
        let random = &world.random;
        match random.below(16) {
            0..2 if !world.is_calm.get() => {
                let errno = random.of(&OWN);
                let errno = if is_async && errno == libc::EAGAIN && random.one_in(2) { libc::EINTR } else { errno };
                request.refuse(By::Uring, -i64::from(errno))
            }
            2 => {
                request.refuse(By::Uring, -i64::from(random.of(&[libc::EIO, libc::ENOSPC, libc::EINVAL, libc::EFAULT])))
            }
            3 => request.perform(world, By::Uring, seen, random.below(40)),
            4 => request.perform(world, By::Uring, seen, 0),
            _ => request.perform(world, By::Uring, seen, usize::MAX),
        }
    }

    /// A slot of the file table gets the program's file, or is emptied.
    fn set_file(&mut self, world: &World, slot: usize, fd: i32) -> Result<(), Errno> {
        if fd < 0 {
            self.table[slot] = None;
            return Ok(());
        }
        if !world.is_calm.get() && world.random.one_in(24) {
            world.has_refused_file.set(true);
            return Err(Errno(libc::ENFILE));
        }
        let named = world.files.borrow().named(fd).ok_or(Errno(libc::EBADF))?;
        assert!(self.table[slot].is_none(), "slot {slot} is in use");
        self.table[slot] = Some(named);
        Ok(())
    }

    /// `io_uring_register`.
    pub fn register(&mut self, world: &World, &[_, operation, update, ..]: &[usize; 6]) -> isize {
        assert_eq!(operation, 6 | REGISTERED_REGISTER as usize);
        if self.is_lost {
            return -libc::EPERM as isize;
        }
        // SAFETY: the structure, and the one descriptor that it points to.
        let (slot, fd) = unsafe {
            let update = &*(update as *const Update);
            (update.place as usize, *ptr::with_exposed_provenance::<i32>(update.data as usize))
        };
        self.set_file(world, slot, fd).map_or_else(|errno| errno.negated() as isize, |()| 1)
    }

    /// A futex was woken.
    pub fn woken(&mut self, address: usize) {
        if let Some((word, data)) = self.armed
            && word == address
        {
            self.armed = None;
            self.complete(data, 0);
        }
    }

    /// The doorbell's signal has come.
    pub fn signal(&mut self) {
        self.signalled = true;
        self.look_for_signal();
    }

    fn look_for_signal(&mut self) {
        if self.signalled
            && let Some((0, data)) = self.armed
        {
            self.armed = None;
            self.complete(data, 1);
        }
    }

    /// The thread takes the signal.
    pub fn take_signal(&mut self) -> bool {
        core::mem::take(&mut self.signalled)
    }
}

const _: () = assert!(size_of::<Entry>() == 64 && size_of::<Option<FixedFile>>() == 4);
