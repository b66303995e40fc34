//! What the workers share: the queue, what is done, the files, the epoll.

use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::blocks::Blocks;
use super::epoll::Epoll;
use super::fifo::Fifo;
use super::holders::Holders;
use super::job::{Job, WritePlace};
use super::queue::{Class, Queue};
use crate::engine::inbox::Inbox;
use crate::engine::lifecycle::Engine;
use crate::host::futex;
use crate::host::kernel::{self, Errno};
use crate::host::lock::{Guard, Lock};

/// Shared by all threads of the engine. Never freed.
pub struct Crew {
    pub engine: &'static Engine,
    pub queue: Lock<Queue>,
    /// Jobs that are done, for the reactor.
    pub done: Inbox<Job>,
    pub jobs: Blocks<Job>,
    pub holders: Holders,
    pub epoll: Epoll,
    /// Whether anything was outstanding after the reactor's last turn.
    is_busy: AtomicBool,
    /// When that ended last, in nanoseconds.
    quiet_since: AtomicU64,
    /// What has been kept is being closed, because nothing has been outstanding for long.
    is_tidying: AtomicBool,
    /// Whether the reactor is to be run again after a while, without a reason that wakes a thread.
    pub wants_retry: AtomicBool,
    /// Whether the poller has jobs tried again now and then ([`Job::is_unheard`]).
    pub has_unheard: AtomicBool,
    /// Whether its last turn left the inbox awake: a worker at work runs it soon, and one that sleeps only for a moment if
    /// that does not come back.
    pub comes_again: AtomicBool,
}

/// A worker's place among those of a class, while it is at a job.
pub struct Slot {
    pub crew: &'static Crew,
    pub class: Option<Class>,
    /// The file whose writes it is one of.
    pub file: Option<WritePlace>,
    /// Whether no other worker hears meanwhile what is submitted.
    pub is_alone: bool,
}

impl Slot {
    /// What is done from here on may take for ever: the worker does not count any more, and another takes its place.
    pub fn leave(&mut self) {
        if let Some(class) = self.class.take() {
            let mut queue = self.crew.queue.lock();
            queue.leave(class, self.file.take());
            self.crew.call_one(queue, false);
        }
    }
}

impl Crew {
    /// Without a thread yet.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn new(engine: &'static Engine) -> Result<Self, Errno> {
        Ok(Self {
            engine,
            queue: Lock::new(Queue::new()?),
            done: Inbox::new(),
            // SAFETY: a job of zero bytes is valid: null pointers, zero numbers, a task that nothing reads yet.
            jobs: unsafe { Blocks::new() },
            holders: Holders::new(),
            epoll: Epoll::new(),
            is_busy: AtomicBool::new(false),
            quiet_since: AtomicU64::new(0),
            is_tidying: AtomicBool::new(false),
            wants_retry: AtomicBool::new(false),
            has_unheard: AtomicBool::new(false),
            comes_again: AtomicBool::new(false),
        })
    }

    /// Whether anything is outstanding after a turn of the reactor.
    pub fn note_busy(&self, is_busy: bool) {
        let ends = self.is_busy.swap(is_busy, Ordering::Relaxed) && !is_busy;
        if ends && !self.is_tidying.swap(false, Ordering::Relaxed) {
            self.quiet_since.store(kernel::now(), Ordering::Relaxed);
        }
    }

    /// What is outstanding from now on is of the library's making.
    pub fn begin_tidying(&self) {
        self.is_tidying.store(true, Ordering::Relaxed);
    }

    /// Nothing is outstanding from now on.
    pub fn begin_quiet(&self) {
        self.is_busy.store(true, Ordering::Relaxed);
        self.note_busy(false);
    }

    /// Since when nothing has been outstanding, in nanoseconds; none where something is, or where threads stay all the
    /// same.
    pub fn quiet_since(&self) -> Option<u64> {
        let may_leave = !self.is_busy.load(Ordering::Relaxed) && !self.engine.stays.load(Ordering::Relaxed);
        may_leave.then(|| self.quiet_since.load(Ordering::Relaxed))
    }

    /// Wakes one worker.
    pub fn wake_worker(&self) {
        // Release pairs with the Acquire of a worker that is about to sleep.
        self.engine.doorbell.fetch_add(1, Ordering::Release);
        futex::wake(&raw const self.engine.doorbell, 1);
    }

    /// Queues jobs. A worker that runs the reactor is the next to look; other threads call one
    /// ([`Crew::call_for_work`]).
    pub fn push(&self, class: Class, jobs: Fifo) {
        self.queue.lock().push(class, jobs);
    }

    /// Queues a job that the poller has taken from the epoll, and calls a worker.
    pub fn push_stream(&'static self, job: &'static Job) {
        self.push(Class::Stream, Fifo::of(job));
        self.call_for_work();
    }

    /// Calls a worker, if there is work that none is coming for.
    pub fn call_for_work(&self) {
        let mut queue = self.queue.lock();
        let asks = queue.ask_for_worker();
        self.call_one(queue, asks);
    }

    /// Unlocks the queue, and calls a worker if there is work that none is coming for; has the poller start one if the
    /// queue [asks](Queue::ask_for_worker) for that.
    pub fn call_one(&self, mut queue: Guard<Queue>, asks: bool) {
        let calls = queue.call_one(self.comes_again.load(Ordering::Relaxed));
        drop(queue);
        if asks {
            self.epoll.notify();
        }
        if calls {
            self.wake_worker();
        }
    }

    /// A job was parked that may have to be tried again without an event.
    pub fn note_unheard(&self) {
        // Release pairs with the Acquire of the poller, which finds the job.
        if !self.has_unheard.swap(true, Ordering::Release) {
            self.epoll.notify();
        }
    }

    /// Has such jobs tried again. For the poller.
    pub fn try_unheard(&'static self) {
        self.has_unheard.swap(false, Ordering::Acquire);
        for job in (0..).map_while(|number| self.jobs.get(number)) {
            if job.is_unheard.load(Ordering::Relaxed) && job.try_claim() {
                job.is_unheard.store(false, Ordering::Relaxed);
                self.push_stream(job);
            }
        }
    }

    /// Leaves a stream that the caller owns for later: what it needs is not there now.
    pub fn postpone(&self, job: &'static Job) {
        self.queue.lock().postpone(job);
    }

    /// Sends a job that the caller owns, and that is decided, back to the reactor: its file is let go before. The
    /// caller has the reactor run next.
    pub fn finish(&self, job: &'static Job) {
        self.epoll.forget(job);
        let fd = job.task().fd;
        if self.holders.release(fd) {
            kernel::close(fd);
            job.has_closed.set(true);
        }
        let job = ptr::NonNull::from(job);
        // SAFETY: jobs are never freed, and no other thread touches this one before it is taken.
        let _ = unsafe { self.done.push(job, job) };
    }
}
