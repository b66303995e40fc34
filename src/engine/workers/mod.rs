//! The device that is threads of ours, for where there is no io_uring.
//!
//! All of them, the engine's thread among them, share a descriptor table that is not the program's (`files`). The engine's
//! thread holds in it the file of each operation that it accepts; workers (`pool`) take operations from a queue and do the
//! system calls (`perform`); what would wait for another program is left to one epoll (`poller`), so that it costs no thread
//! and can be cancelled. What is done comes back through an inbox like the engine's own.

mod execute;
mod file_table;
mod job;
mod poller;
mod pool;
mod shared;

use core::ffi::c_int;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use std::collections::VecDeque;

use super::device::{Device, Event, Sleep, Verdict};
use super::fixed_files::FixedFile;
use super::operation::{Kind, Operation};
use crate::host::futex::{self, Deadline};
use crate::host::kernel::{self, Errno, syscall};
use crate::host::{descriptors, memory};
use file_table::FileTable;
use job::{JOBS, Job, Jobs, Task};
use pool::Pool;
use shared::Shared;

/// Descriptors of the table that are not given to operations.
const RESERVED_DESCRIPTORS: usize = 16;

const CANCELED: i64 = Errno(libc::ECANCELED).negated();

/// How an attempt to stop an operation went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// It is stopped.
    Done,
    /// Whoever tries it without waiting stops it, unless it is done first.
    Asked,
    /// It goes on.
    Refused,
}

/// Operations for one pool, linked, that were accepted since the last flush.
#[derive(Default)]
struct Chain {
    ends: Option<(&'static Job, &'static Job)>,
    count: u32,
}

impl Chain {
    fn push(&mut self, job: &'static Job) {
        self.ends = match self.ends {
            None => Some((job, job)),
            Some((first, last)) => {
                last.next.set(Some(job));
                Some((first, job))
            }
        };
        self.count += 1;
    }
}

/// Threads, and what must be remembered of what they were given.
pub struct Workers {
    shared: &'static Shared,
    jobs: Jobs,
    files: FileTable,
    in_flight: usize,
    for_files: Chain,
    for_streams: Chain,
    /// Whether the epoll was asked for.
    has_poller: bool,
    /// Done, taken from the threads, oldest first.
    taken: *mut Job,
    /// What is to be reported, and is not of the threads' making.
    events: VecDeque<Event>,
    /// Attempts to stop, by ticket, that those who are at work on the operations know of.
    asked: Vec<(NonNull<Operation>, u64)>,
    /// Operations that found the descriptor table full.
    waiting_for_fd: VecDeque<NonNull<Operation>>,
    /// The doorbell's value before a sleep; nothing if there is something to do instead.
    before: Option<u32>,
    /// The table's size.
    limit: usize,
}

impl Workers {
    /// Leaves the program's descriptor table for good, and makes the device of the calling thread.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn new(doorbell: &'static AtomicU32) -> Result<Self, &'static str> {
        let jobs = Jobs::new().map_err(|_| "there is no memory")?;
        let shared = memory::boxed(Shared::new(doorbell, jobs.table())).map_err(|_| "there is no memory")?;
        let files = FileTable::leave()?;
        Ok(Self {
            shared: Box::leak(shared),
            jobs,
            files,
            in_flight: 0,
            for_files: Chain::default(),
            for_streams: Chain::default(),
            has_poller: false,
            asked: Vec::new(),
            taken: core::ptr::null_mut(),
            events: VecDeque::new(),
            waiting_for_fd: VecDeque::new(),
            before: None,
            limit: table_size(),
        })
    }

    /// Holds the operation's file and makes a job of it, or says why not.
    fn admit(&mut self, operation: NonNull<Operation>) -> Result<&'static Job, Errno> {
        // SAFETY: the engine's thread owns the operation until it is finished.
        let this = unsafe { operation.as_ref() };
        let fd = match this.held {
            Some(FixedFile(ours)) => {
                self.files.retain(ours as i32);
                ours as i32
            }
            None => self.files.acquire(this.fd, this.fd_generation, (this.file != 0).then_some(this.file))?,
        };
        let task = Task::of(this, fd, self.files.nature(fd));
        let Some(job) = self.jobs.take(operation.as_ptr(), task) else {
            self.let_go(fd);
            return Err(Errno(libc::EMFILE));
        };
        // SAFETY: as above.
        unsafe { (*operation.as_ptr()).handle = core::ptr::from_ref(job).cast() };
        Ok(job)
    }

    fn send(&mut self, job: &'static Job) {
        if job.task().may_wait() {
            if !self.has_poller {
                self.has_poller = true;
                // Without an epoll a stream keeps a worker busy.
                let _ = poller::start(self.shared);
            }
            self.for_streams.push(job);
        } else {
            self.for_files.push(job);
        }
    }

    /// Tries again what found the table full.
    fn feed(&mut self) {
        while let Some(&operation) = self.waiting_for_fd.front() {
            // SAFETY: as in `admit`.
            let this = unsafe { operation.as_ref() };
            let known = this.held.is_some() || descriptors::generation(this.fd) == this.fd_generation;
            match if known { self.admit(operation) } else { Err(Errno(libc::EBADF)) } {
                Ok(job) => self.send(job),
                // Something under way will make room.
                Err(Errno(libc::EMFILE)) if self.files.open() > 0 => return,
                Err(errno) => self.end(operation, errno.negated()),
            }
            self.waiting_for_fd.pop_front();
        }
    }

    fn end(&mut self, operation: NonNull<Operation>, result: i64) {
        self.in_flight -= 1;
        self.events.push_back(Event::Done(operation, result));
    }

    /// Ends a job that is this thread's again.
    fn reap(&mut self, job: &'static Job) -> Option<NonNull<Operation>> {
        let operation = NonNull::new(job.operation.get());
        let fd = job.task().fd;
        self.jobs.give_back(job);
        if operation.is_some() {
            self.in_flight -= 1;
            self.let_go(fd);
        } else {
            self.files.closed();
        }
        operation
    }

    /// One holder of a file fewer. What this thread must not wait for, a worker closes.
    fn let_go(&mut self, fd: c_int) {
        if !self.files.release(fd) {
            return;
        }
        let Some(job) = self.jobs.take(core::ptr::null_mut(), Task::closing(fd)) else {
            kernel::close(fd);
            return self.files.closed();
        };
        send_to(&self.shared.files, self.shared, (job, job), 1);
    }

    /// Takes back an operation that nobody is at work on, or has it stopped.
    fn retrieve(&mut self, operation: NonNull<Operation>) -> Stop {
        if let Some(index) = self.waiting_for_fd.iter().position(|&waiting_for_fd| waiting_for_fd == operation) {
            self.waiting_for_fd.remove(index);
            self.in_flight -= 1;
            return Stop::Done;
        }
        // What was just accepted is in the queues from here on.
        self.send_chains();
        // SAFETY: as in `admit`; the handle names the job of an operation that is in flight.
        let Some(job) = (unsafe { operation.as_ref().handle.cast::<Job>().as_ref::<'static>() }) else {
            return Stop::Refused;
        };
        if job.operation.get() != operation.as_ptr() {
            return Stop::Refused;
        }
        let asked = job.task().may_wait() && job.ask_to_stop();
        if self.shared.files.remove(job) || self.shared.streams.remove(job) || job.try_claim() {
            poller::forget(self.shared, job);
            self.reap(job);
            self.answer_asked(operation, true);
            return Stop::Done;
        }
        if asked { Stop::Asked } else { Stop::Refused }
    }

    /// What somebody was asked to stop has ended, one way or the other.
    fn answer_asked(&mut self, operation: NonNull<Operation>, stopped: bool) {
        let events = &mut self.events;
        self.asked.retain(|&(asked, ticket)| {
            let meant = asked == operation;
            if meant {
                events.push_back(Event::Cancel(ticket, stopped));
            }
            !meant
        });
    }

    fn send_chains(&mut self) {
        for (chain, pool) in [(&mut self.for_files, &self.shared.files), (&mut self.for_streams, &self.shared.streams)]
        {
            let Chain { ends, count } = core::mem::take(chain);
            if let Some(ends) = ends {
                send_to(pool, self.shared, ends, count);
            }
        }
    }

    /// Sleeps, unless something is done, on the doorbell that rang `seen` times until now.
    fn sleep_on(&self, seen: u32, deadline: Deadline) {
        if self.shared.done.fall_asleep() {
            let _ = futex::wait(self.shared.doorbell, seen, deadline);
        }
        self.shared.done.wake_up();
    }
}

impl Device for Workers {
    fn has_room(&self) -> bool {
        let has_file = self.files.open() + RESERVED_DESCRIPTORS < self.limit || self.in_flight == 0;
        self.in_flight < JOBS && has_file && self.waiting_for_fd.is_empty()
    }

    fn in_flight(&self) -> usize {
        self.in_flight
    }

    fn issue(&mut self, operation: NonNull<Operation>, _patiently: bool) {
        self.in_flight += 1;
        // SAFETY: as in `admit`.
        unsafe { (*operation.as_ptr()).handle = core::ptr::null() };
        match self.admit(operation) {
            Ok(job) => self.send(job),
            Err(Errno(libc::EMFILE)) if self.files.open() > 0 => {
                self.limit = table_size();
                self.waiting_for_fd.push_back(operation);
            }
            Err(errno) => self.end(operation, errno.negated()),
        }
    }

    fn cancel(&mut self, operation: NonNull<Operation>, ticket: u64) {
        let stop = self.retrieve(operation);
        match stop {
            Stop::Done => self.events.push_back(Event::Done(operation, CANCELED)),
            Stop::Asked => return self.asked.push((operation, ticket)),
            Stop::Refused => {}
        }
        self.events.push_back(Event::Cancel(ticket, stop == Stop::Done));
    }

    fn judge(&self, operation: &Operation, result: i64) -> Verdict {
        // Plain system calls answer for the file. A poll is told in the words in which it was asked for.
        Verdict::Finish(if operation.kind == Kind::Poll && result > 0 {
            operation.told(result as u32).into()
        } else {
            result
        })
    }

    fn hold_file(&mut self, fd: i32) -> Result<FixedFile, Errno> {
        // What waits for its turn must not take the room of what is under way.
        if self.files.open() >= self.limit / 2 {
            return Err(Errno(libc::ENFILE));
        }
        self.files.acquire(fd, 0, None).map(|ours| FixedFile(ours as u32))
    }

    fn release_file(&mut self, file: FixedFile) {
        self.let_go(file.0 as i32);
    }

    fn signal_eventfd(&mut self, file: FixedFile, count: u32) {
        // A counter without room is at its end, and tells what it is there to tell; the kernel's own additions stop there too.
        if execute::ready(file.0 as i32, libc::POLLOUT as u32) != Ok(false) {
            let amount = u64::from(count);
            // SAFETY: reads the eight bytes.
            let _ = unsafe { syscall!(libc::SYS_write, file.0, &raw const amount, 8) };
        }
        self.events.push_back(Event::Signalled(file, count));
    }

    fn flush(&mut self) {
        self.send_chains();
    }

    fn prepare_sleep(&mut self) {
        // Acquire pairs with the ringer's Release. Read before either inbox is put asleep: whoever rings after that changes
        // it.
        let seen = self.shared.doorbell.load(Ordering::Acquire);
        self.before = self.events.is_empty().then_some(seen);
    }

    fn sleep(&mut self, how: Sleep) {
        match (how, self.before.take()) {
            _ if !self.events.is_empty() => {}
            (Sleep::Timed(nanoseconds), _) => {
                let seen = self.shared.doorbell.load(Ordering::Acquire);
                self.sleep_on(seen, Deadline::after(Duration::from_nanos(nanoseconds.into())));
            }
            (Sleep::Armed, Some(seen)) => self.sleep_on(seen, Deadline::Never),
            (Sleep::Armed, None) => {}
        }
    }

    fn next(&mut self) -> Option<Event> {
        loop {
            if !self.waiting_for_fd.is_empty() {
                self.feed();
            }
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            // SAFETY: jobs are never freed.
            if let Some(job) = unsafe { self.taken.as_ref::<'static>() } {
                self.taken = job::after(job);
                let result = job.result.get();
                if let Some(operation) = self.reap(job) {
                    self.answer_asked(operation, result == CANCELED);
                    return Some(Event::Done(operation, result));
                }
                continue;
            }
            match self.shared.done.take() {
                Some(oldest) => self.taken = oldest.as_ptr(),
                None if self.shared.done.all_reached() => return None,
                None => {}
            }
        }
    }
}

/// Sends a chain of jobs to a pool.
fn send_to(pool: &Pool, shared: &'static Shared, (first, last): (&'static Job, &'static Job), count: u32) {
    if !pool.push(shared, first, last, count) {
        // Not one thread is to be had: this one does it.
        while let Some(job) = pool.pop() {
            shared.run(job);
        }
    }
}

/// Does an operation on a file in the calling thread, by the program's descriptor: where no worker can be had.
pub fn do_here(operation: &Operation) -> i64 {
    execute::blocking(&Task::of(operation, operation.fd, file_table::Nature::File))
}

/// How many descriptors the table may have.
fn table_size() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 1024, rlim_max: 1024 };
    // SAFETY: fills the structure.
    let _ = unsafe { syscall!(libc::SYS_prlimit64, 0, libc::RLIMIT_NOFILE, core::ptr::null::<u8>(), &raw mut limit) };
    usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX).max(RESERVED_DESCRIPTORS * 2)
}
