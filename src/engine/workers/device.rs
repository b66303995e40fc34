//! The device that the workers are to the reactor: it makes jobs of operations, and events of jobs that are done.

use core::mem;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;
use std::collections::VecDeque;

use super::crew::Crew;
use super::fifo::Fifo;
use super::file_table::{FileTable, Unheld};
use super::job::{self, Job, Jobs, Task};
use super::nature::Nature;
use super::own_table::OwnTable;
use super::queue::{Class, STUCK_NS};
use crate::engine::device::{Device, Event, Name, Verdict};
use crate::engine::fixed_files::FixedFile;
use crate::engine::operation::{CANCELED, History, Kind, Operation};
use crate::host::kernel::{self, Errno};

/// Operations at a time that are looked at with a descriptor for the moment.
const MAX_TRIALS: usize = 8;

/// After a round of such looks there is none for so many times as long, within bounds.
const IDLE_SHARE: u64 = 16;
const MAX_PAUSE_NS: u64 = 500_000_000;

/// How an attempt to stop an operation went.
enum Stop {
    /// It is stopped.
    Done,
    /// Its worker stops it, unless it is done first.
    Asked,
    /// It goes on.
    Refused,
}

/// What the reactor knows of the operations that the threads have.
pub struct Workers {
    crew: &'static Crew,
    jobs: Jobs,
    files: FileTable,
    in_flight: usize,
    /// Jobs that were made since the last flush.
    for_files: Fifo,
    for_streams: Fifo,
    /// Done, taken from the threads, oldest first.
    taken: *mut Job,
    /// What is to be reported, and is not of the threads' making.
    events: VecDeque<Event>,
    /// Attempts to stop, by ticket, that the workers of the operations know of.
    asked: Vec<(NonNull<Operation>, u64)>,
    /// Operations that end by themselves and found the descriptor table full.
    waiting: VecDeque<NonNull<Operation>>,
    /// The same for those that may have to wait for ever.
    rotating: VecDeque<NonNull<Operation>>,
    /// Those of them that are being looked at.
    trials: usize,
    /// How many of them are still to be looked at in this round.
    round: usize,
    /// When this round began and the next one may, in nanoseconds.
    round_times: (u64, u64),
}

impl Workers {
    /// The device, with the files of a table.
    pub fn new(crew: &'static Crew, own: OwnTable) -> Self {
        Self {
            crew,
            jobs: Jobs::new(&crew.jobs),
            files: FileTable::new(own, &crew.holders),
            in_flight: 0,
            for_files: Fifo::new(),
            for_streams: Fifo::new(),
            taken: core::ptr::null_mut(),
            events: VecDeque::new(),
            asked: Vec::new(),
            waiting: VecDeque::new(),
            rotating: VecDeque::new(),
            trials: 0,
            round: 0,
            round_times: (0, 0),
        }
    }

    /// Makes a job of an operation, with the file that it holds or that is held for it now.
    fn admit(&mut self, mut operation: NonNull<Operation>, is_trial: bool) -> Result<(), Refusal> {
        self.let_go_of_unused();
        // SAFETY: reactor-owned.
        let this = unsafe { operation.as_mut() };
        let name = (this.fd_generation, this.file);
        let (ours, is_new) = match this.held {
            Some(ours) => (ours.slot() as i32, false),
            None if this.has_its_number() => {
                let ours = self.files.hold(this.fd, name);
                if ours.is_err() {
                    this.history = this.history.max(History::Waited);
                }
                (ours?, true)
            }
            // The program has closed it.
            None => return Err(Refusal::Failed(this.gone())),
        };
        if is_new && !this.has_its_number() {
            // It has just done so: this may be another file.
            self.let_go(ours);
            return Err(Refusal::Failed(this.gone()));
        }
        this.history = this.history.max(History::Waited);
        let mut task = Task::of(this, ours, 0, self.files.nature(ours));
        if task.may_wait() {
            // Each needs a descriptor of its own, and leaves room for what ends by itself.
            let has_room = is_trial || self.files.has_room();
            match if has_room { self.files.separate(ours) } else { Err(Errno(libc::EMFILE)) } {
                Ok((fd, unheld)) => {
                    task.fd = fd;
                    self.close(unheld);
                }
                Err(errno) => {
                    if is_new {
                        self.let_go(ours);
                    }
                    return Err(if has_room { errno.into() } else { Refusal::FullForWaiting });
                }
            }
        }
        this.held = None;
        task.life = self.files.life(task.fd);
        if task.writes() && task.nature == Nature::File {
            task.written = self.files.identity(task.fd);
        }
        task.is_trial = is_trial;
        let job = self.jobs.take(operation.as_ptr(), task).inspect_err(|_| self.let_go(task.fd))?;
        job.moved.set(this.moved);
        this.handle = core::ptr::from_ref(job).cast();
        self.send(job);
        Ok(())
    }

    fn send(&mut self, job: &'static Job) {
        if job.task().may_wait() { &mut self.for_streams } else { &mut self.for_files }.push(job);
    }

    /// Tries again what found the table full.
    fn feed(&mut self) {
        while let Some(&operation) = self.waiting.front() {
            match self.admit(operation, false) {
                Err(Refusal::Full) if self.files.open() > 0 => break,
                answer => {
                    self.waiting.pop_front();
                    self.settle(operation, answer);
                }
            }
        }
        while let Some(&operation) = self.rotating.front()
            && self.files.has_room()
        {
            match self.admit(operation, false) {
                Err(Refusal::Full | Refusal::FullForWaiting) => break,
                answer => {
                    self.rotating.pop_front();
                    self.settle(operation, answer);
                }
            }
        }
        self.try_round();
        self.crew.wants_retry.store(!self.waiting.is_empty() || !self.rotating.is_empty(), Ordering::Relaxed);
    }

    /// Looks at what may have to wait for ever and has no room, a few at a time, each once in a round.
    fn try_round(&mut self) {
        if self.round == 0 && self.trials == 0 && !self.rotating.is_empty() {
            let now = kernel::now();
            let (began, next) = &mut self.round_times;
            if *began != 0 {
                // It has ended.
                *next = now + ((now - *began) * IDLE_SHARE).clamp(STUCK_NS, MAX_PAUSE_NS);
                *began = 0;
            }
            if now >= *next {
                *began = now;
                self.round = self.rotating.len();
            }
        }
        while self.round > 0 && self.trials < MAX_TRIALS {
            let Some(operation) = self.rotating.pop_front() else {
                self.round = 0;
                return;
            };
            match self.admit(operation, true) {
                Ok(()) => self.trials += 1,
                Err(Refusal::Full) if self.files.open() > 0 => return self.rotating.push_front(operation),
                answer => self.settle(operation, answer),
            }
            self.round -= 1;
        }
    }

    /// What became of an attempt to admit an operation that is under way.
    fn settle(&mut self, operation: NonNull<Operation>, answer: Result<(), Refusal>) {
        match answer {
            Ok(()) => {}
            Err(Refusal::FullForWaiting) => self.rotating.push_back(operation),
            Err(Refusal::Full) => self.end(operation, Errno(libc::EMFILE).negated()),
            Err(Refusal::Failed(errno)) => self.end(operation, errno.negated()),
        }
    }

    fn end(&mut self, operation: NonNull<Operation>, result: i64) {
        self.in_flight -= 1;
        self.events.push_back(Event::Done(operation, result));
    }

    /// Takes a job that is done. Its operation and the result, if it is the end of one.
    fn reap(&mut self, job: &'static Job) -> Option<(NonNull<Operation>, i64)> {
        let (task, result, moved) = (job.task(), job.result.get(), job.moved.get());
        let operation = NonNull::new(job.operation.get());
        let (would_wait, is_broken) = (job.would_wait.get(), job.is_broken.get());
        if job.has_closed.get() {
            self.files.closed(Unheld { fd: task.fd, life: task.life });
        }
        self.jobs.give_back(job);
        let mut operation = operation?;
        if is_broken {
            // SAFETY: reactor-owned.
            unsafe { operation.as_mut() }.note_broken();
        }
        if task.is_trial {
            self.trials -= 1;
        }
        if would_wait && !self.asked.iter().any(|&(asked, _)| asked == operation) {
            // SAFETY: reactor-owned.
            let this = unsafe { operation.as_mut() };
            (this.address, this.length, this.moved) = (task.address, task.length, moved);
            this.handle = core::ptr::null();
            self.rotating.push_back(operation);
            return None;
        }
        self.in_flight -= 1;
        let result = if would_wait { CANCELED } else { result };
        self.answer_asked(operation, result == CANCELED);
        Some((operation, result))
    }

    /// Closes what was kept and has not been used, and where the table is nearly full, all that is kept.
    fn let_go_of_unused(&mut self) {
        while let Some(fd) = self.files.take_unused() {
            self.let_go(fd);
        }
        while !self.files.has_room()
            && let Some(fd) = self.files.take_kept(-1)
        {
            self.let_go(fd);
        }
    }

    /// One hold of the reactor's fewer.
    fn let_go(&mut self, fd: i32) {
        let unheld = self.files.release(fd);
        self.close(unheld);
    }

    /// Closes what nothing holds any more: a worker does, where that may take time.
    fn close(&mut self, unheld: Option<Unheld>) {
        let Some(unheld) = unheld else { return };
        match self.closing_job(unheld, core::ptr::null_mut()) {
            Some(job) => self.send(job),
            None => self.close_here(unheld),
        }
    }

    fn close_here(&mut self, unheld: Unheld) {
        kernel::close(unheld.fd);
        self.files.closed(unheld);
    }

    /// A job that closes a file; none where that takes no time, or there is no memory for one.
    fn closing_job(&mut self, unheld: Unheld, operation: *mut Operation) -> Option<&'static Job> {
        if self.files.nature(unheld.fd) == Nature::Stream {
            return None;
        }
        self.jobs.take(operation, Task::closing(unheld.fd, unheld.life)).ok()
    }

    /// Takes back an operation that no worker has, or has it stopped.
    fn retrieve(&mut self, operation: NonNull<Operation>) -> Stop {
        for waiting in [&mut self.waiting, &mut self.rotating] {
            if let Some(index) = waiting.iter().position(|&waiting| waiting == operation) {
                waiting.remove(index);
                self.in_flight -= 1;
                return Stop::Done;
            }
        }
        // What was just accepted is in the queues from here on.
        self.flush();
        // SAFETY: reactor-owned; the handle names the job of an operation that is in flight.
        let Some(job) = (unsafe { operation.as_ref().handle.cast::<Job>().as_ref::<'static>() }) else {
            return Stop::Refused;
        };
        if job.operation.get() != operation.as_ptr() {
            return Stop::Refused;
        }
        let asked = job.task().may_wait();
        if asked && !job.ask_to_stop() {
            return Stop::Refused;
        }
        if self.crew.queue.lock().remove(job) || job.try_claim() {
            // Its end is that of any other: its file is let go first.
            job.decide(CANCELED);
            if job.task().nature == Nature::Stream {
                self.crew.finish(job);
            } else {
                self.send(job);
            }
            return Stop::Asked;
        }
        if asked { Stop::Asked } else { Stop::Refused }
    }

    /// What a worker was asked to stop has ended, one way or the other.
    fn answer_asked(&mut self, operation: NonNull<Operation>, stopped: bool) {
        let events = &mut self.events;
        self.asked.retain(|&(asked, ticket)| {
            let meant = asked == operation;
            if meant && !stopped {
                events.push_back(Event::NotStopped(ticket));
            }
            !meant
        });
    }
}

/// Why an operation was not admitted.
#[derive(Clone, Copy)]
enum Refusal {
    /// The table is full.
    Full,
    /// What is left of it is for operations that end by themselves.
    FullForWaiting,
    /// It fails.
    Failed(Errno),
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        if errno == Errno(libc::EMFILE) { Self::Full } else { Self::Failed(errno) }
    }
}

impl Device for Workers {
    fn has_room(&self) -> bool {
        true
    }

    fn in_flight(&self) -> usize {
        self.in_flight
    }

    fn issue(&mut self, operation: NonNull<Operation>, _blocking: bool) {
        self.in_flight += 1;
        // SAFETY: reactor-owned.
        unsafe { (*operation.as_ptr()).handle = core::ptr::null() };
        match self.admit(operation, false) {
            Err(Refusal::Full) if self.files.open() > 0 => self.waiting.push_back(operation),
            answer => self.settle(operation, answer),
        }
    }

    fn cancel(&mut self, operation: NonNull<Operation>, ticket: u64) {
        match self.retrieve(operation) {
            Stop::Done => self.events.push_back(Event::Done(operation, CANCELED)),
            Stop::Asked => self.asked.push((operation, ticket)),
            Stop::Refused => self.events.push_back(Event::NotStopped(ticket)),
        }
    }

    fn judge(&self, operation: &Operation, result: i64) -> Verdict {
        // Plain system calls answer for the file. A poll is told in the words in which it was asked for.
        Verdict::Finish(if operation.kind == Kind::Poll && result > 0 {
            operation.told(result as u32).into()
        } else {
            result
        })
    }

    fn hold_file(&mut self, fd: i32, name: Option<Name>) -> Result<FixedFile, Errno> {
        // What waits for its turn must not take the room of what is under way.
        if !self.files.has_room() {
            return Err(Errno(libc::ENFILE));
        }
        let held = match name {
            Some(name) => self.files.hold(fd, name),
            None => self.files.hold_alone(fd),
        };
        held.map(|ours| FixedFile::new(ours as u32))
    }

    fn release_file(&mut self, file: FixedFile) {
        self.let_go(file.slot() as i32);
    }

    fn release_first(&mut self, file: FixedFile, operation: NonNull<Operation>, result: i64) -> bool {
        let Some(unheld) = self.files.release(file.slot() as i32) else { return false };
        let Some(job) = self.closing_job(unheld, operation.as_ptr()) else {
            self.close_here(unheld);
            return false;
        };
        self.in_flight += 1;
        job.decide(result);
        self.send(job);
        true
    }

    fn close_kept(&mut self, fd: i32, command: NonNull<Operation>) -> u32 {
        let mut closing = 0;
        while let Some(ours) = self.files.take_kept(fd) {
            closing += u32::from(self.release_first(FixedFile::new(ours as u32), command, 0));
        }
        closing
    }

    fn tidy(&mut self) -> bool {
        let mut tidies = false;
        while let Some(fd) = self.files.take_kept(-1) {
            self.let_go(fd);
            tidies = true;
        }
        tidies
    }

    fn signal_eventfd(&mut self, file: FixedFile, count: u32) {
        kernel::add_to_eventfd(file.slot() as i32, count);
        self.events.push_back(Event::Signalled(file, count));
    }

    fn flush(&mut self) {
        for (class, jobs) in [(Class::File, &mut self.for_files), (Class::Stream, &mut self.for_streams)] {
            if !jobs.is_empty() {
                self.crew.push(class, mem::take(jobs));
            }
        }
    }

    fn next(&mut self) -> Option<Event> {
        loop {
            if !self.waiting.is_empty() || !self.rotating.is_empty() {
                self.feed();
            }
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            // SAFETY: jobs are never freed.
            if let Some(job) = unsafe { self.taken.as_ref::<'static>() } {
                self.taken = job::after(job);
                if let Some((operation, result)) = self.reap(job) {
                    return Some(Event::Done(operation, result));
                }
                continue;
            }
            match self.crew.done.take() {
                Some(oldest) => self.taken = oldest.as_ptr(),
                None if self.crew.done.all_reached() => return None,
                None => {}
            }
        }
    }

    fn comes_again(&mut self) -> bool {
        // The worker that ends a write runs the reactor, and goes on with the one that waits for it.
        let comes = self.in_flight > 1 && self.crew.queue.lock().holds_writes();
        self.crew.comes_again.store(comes, Ordering::Relaxed);
        comes
    }

    fn is_idle(&self) -> bool {
        self.jobs.in_use() == 0 && self.in_flight == 0 && self.events.is_empty()
    }
}
