//! What waits for a worker, and how many workers there are: the part of a crew that is under its lock.

use core::mem;

use super::fifo::Fifo;
use super::file_writes::FileWrites;
pub use super::file_writes::STUCK_NS;
use super::job::{Job, WritePlace};
use crate::host::kernel::{self, Errno};
use crate::host::thread::JoinHandle;

/// What a job is, as far as the number of workers for its like is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It ends by itself: I/O on files.
    File = 0,
    /// It ends at once: an attempt on a stream. What turns out to wait leaves its class
    /// ([`Slot::leave`](super::crew::Slot::leave)).
    Stream = 1,
}

const CLASSES: [Class; 2] = [Class::Stream, Class::File];

/// Workers at a time for each class, while they get on, and at most.
const WORKERS: [u32; 2] = [64, 4];
const MAX_WORKERS: [u32; 2] = [256, 64];

struct Waiting {
    jobs: Fifo,
    /// Workers that are at it.
    running: u32,
    /// How many there may be.
    allowed: u32,
}

/// The queues and the counts.
pub struct Queue {
    classes: [Waiting; 2],
    /// Writes that wait for another on the same file.
    writes: FileWrites,
    /// Streams that are tried again later.
    postponed: Fifo,
    /// Workers that there are, or are being started.
    threads: u32,
    /// Workers that sleep, and were not called.
    pub idle: u32,
    /// Workers that were called or are being started, and have not come yet.
    pub coming: u32,
    /// Of those, the called ones.
    called: u32,
    /// Workers that sleep only for a while.
    pub looking: u32,
    /// Workers that the poller is to start.
    starts: u32,
    /// Jobs that were ever claimed.
    claimed: u64,
    /// The same when it was last seen that work waits for a worker of its class, and the time when that began.
    stuck: (u64, u64),
    /// The last worker that ended or is about to. The next one to end joins it.
    ended: Option<JoinHandle>,
}

// SAFETY: the jobs in the queues belong to the queues, and so to the holder of their lock.
unsafe impl Send for Queue {}

impl Queue {
    /// No job, and no worker.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn new() -> Result<Self, Errno> {
        const fn waiting(class: Class) -> Waiting {
            Waiting { jobs: Fifo::new(), running: 0, allowed: WORKERS[class as usize] }
        }
        Ok(Self {
            classes: [waiting(Class::File), waiting(Class::Stream)],
            writes: FileWrites::new()?,
            postponed: Fifo::new(),
            threads: 0,
            idle: 0,
            coming: 0,
            called: 0,
            looking: 0,
            starts: 0,
            claimed: 0,
            stuck: (0, 0),
            ended: None,
        })
    }

    /// Asks for a worker to be started, if there is work, and no other worker to hear what else is submitted. True: the
    /// caller tells the poller.
    #[must_use]
    pub fn ask_for_worker(&mut self) -> bool {
        let asks = self.idle + self.coming == 0 && (self.has_work() || !self.postponed.is_empty());
        self.starts += u32::from(asks);
        self.coming += u32::from(asks);
        asks
    }

    /// Asks for the first worker.
    pub fn ask_for_first(&mut self) {
        (self.threads, self.idle, self.called, self.looking) = (0, 0, 0, 0);
        (self.starts, self.coming) = (1, 1);
    }

    /// One worker that is to be started, if there is one.
    pub fn take_start(&mut self) -> bool {
        let starts = self.starts > 0;
        self.starts -= u32::from(starts);
        self.threads += u32::from(starts);
        starts
    }

    /// It could not be started.
    pub fn start_failed(&mut self) {
        self.threads -= 1;
        self.coming -= 1;
    }

    /// A worker that was started has come.
    pub fn arrive(&mut self) {
        self.coming -= 1;
        self.resume();
    }

    /// Whether no other worker hears what is submitted, while the calling one is at work.
    pub const fn is_alone(&self) -> bool {
        self.idle + self.called == 0
    }

    /// Whether the calling worker is the only one, and nothing is queued.
    pub const fn is_last(&self) -> bool {
        self.threads == 1 && self.coming == 0 && self.is_empty()
    }

    /// Queues jobs.
    pub fn push(&mut self, class: Class, mut jobs: Fifo) {
        if class == Class::Stream {
            return self.classes[class as usize].jobs.append(jobs);
        }
        while let Some(job) = jobs.pop() {
            if self.writes.admit(job) {
                self.classes[class as usize].jobs.push(job);
            }
        }
    }

    /// Takes a job back, if it is still queued.
    pub fn remove(&mut self, job: &'static Job) -> bool {
        let [files, streams] = &mut self.classes;
        if files.jobs.remove(job) {
            files.jobs.append(self.writes.withdraw(job));
            return true;
        }
        streams.jobs.remove(job) || self.writes.remove(job) || self.postponed.remove(job)
    }

    /// Leaves a stream for later.
    pub fn postpone(&mut self, job: &'static Job) {
        self.postponed.push(job);
    }

    /// It is later.
    pub fn resume(&mut self) {
        let postponed = mem::take(&mut self.postponed);
        self.push(Class::Stream, postponed);
    }

    /// Whether nothing is queued, postponed or waits for another.
    pub const fn is_empty(&self) -> bool {
        !self.has_any_ready() && !self.writes.holds_any()
    }

    /// Whether anything is queued or postponed.
    pub const fn has_any_ready(&self) -> bool {
        let [files, streams] = &self.classes;
        !files.jobs.is_empty() || !streams.jobs.is_empty() || !self.postponed.is_empty()
    }

    /// Whether a worker would find work.
    pub fn has_work(&self) -> bool {
        self.classes.iter().any(|waiting| !waiting.jobs.is_empty() && waiting.running < waiting.allowed)
    }

    /// Takes the next job.
    pub fn claim(&mut self) -> Option<(&'static Job, Class)> {
        for class in CLASSES {
            let waiting = &mut self.classes[class as usize];
            if waiting.running >= waiting.allowed {
                continue;
            }
            while let Some(job) = waiting.jobs.pop() {
                if !self.writes.begin(job, kernel::now) {
                    continue;
                }
                waiting.running += 1;
                if waiting.jobs.is_empty() {
                    // Those that are stuck do not count.
                    waiting.allowed = WORKERS[class as usize].max(waiting.running);
                }
                self.claimed += 1;
                return Some((job, class));
            }
        }
        None
    }

    /// A worker is done with a job, or at it for as long as it may take.
    pub fn leave(&mut self, class: Class, place: Option<WritePlace>) {
        let left = &mut self.classes[class as usize];
        left.running -= 1;
        left.jobs.append(self.writes.end(place, kernel::now));
    }

    /// Whether a write waits for another on its file.
    pub const fn holds_writes(&self) -> bool {
        self.writes.holds_any()
    }

    /// Lets go on what waits for a write that does not end.
    pub fn release_stuck(&mut self) {
        if self.writes.holds_any() {
            let released = self.writes.release_stuck(kernel::coarse_now());
            self.classes[Class::File as usize].jobs.append(released);
        }
    }

    /// A worker has found work that it may not take. If none was taken for long, those at work are stuck, and there may
    /// be one more.
    pub fn loosen(&mut self, now: u64) {
        if self.stuck.0 != self.claimed || self.stuck.1 == 0 {
            self.stuck = (self.claimed, now);
        } else if now - self.stuck.1 >= STUCK_NS {
            for (waiting, most) in self.classes.iter_mut().zip(MAX_WORKERS) {
                if !waiting.jobs.is_empty() {
                    waiting.allowed = (waiting.running + 1).min(most);
                }
            }
            self.stuck.1 = now;
        }
    }

    /// Calls a sleeping worker if there is work that no other is coming for; or none that looks by itself now and then, as
    /// one must if `must_look`. True: the caller wakes one.
    #[must_use]
    pub fn call_one(&mut self, must_look: bool) -> bool {
        // What waits for a write needs a worker that looks whether that one ends.
        let looks = (must_look || self.writes.holds_any()) && self.looking == 0;
        let calls = self.idle > 0 && self.coming == 0 && (self.has_work() || looks);
        if calls {
            self.idle -= 1;
            self.coming += 1;
            self.called += 1;
        }
        calls
    }

    /// The calling worker ends, and is joined by the next that does so, or by the poller. The one that it joins.
    #[must_use]
    pub fn end(&mut self) -> Option<JoinHandle> {
        self.threads -= 1;
        self.ended.replace(JoinHandle::of_this_thread())
    }

    /// The last worker that ended, to be joined.
    pub fn take_ended(&mut self) -> Option<JoinHandle> {
        self.ended.take()
    }

    /// A worker has woken. Whether it was called: one is as good as another.
    pub fn wake(&mut self) -> bool {
        let called = self.called > 0;
        if called {
            self.called -= 1;
            self.coming -= 1;
        } else {
            self.idle -= 1;
        }
        called
    }
}
