//! What the threads share: the queues, the way back, and what is done with a job.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use super::execute::{self, Answer};
use super::job::{Job, Task};
use super::poller::{self, Parked};
use super::pool::Pool;
use crate::engine::inbox::{Inbox, Pushed};
use crate::engine::operation::Kind;
use crate::host::futex;
use crate::host::kernel::Errno;

/// Threads for what ends by itself: I/O on files.
const FILE_WORKERS: u32 = 64;

/// Threads for what waits for other programs. Few are needed at a time: a stream that has nothing to give is left to the
/// epoll, so these are for devices that cannot be asked.
const STREAM_WORKERS: u32 = 256;

const CANCELED: i64 = Errno(libc::ECANCELED).negated();

/// Shared by all threads of the engine. Never freed.
pub struct Shared {
    pub files: Pool,
    pub streams: Pool,
    /// Jobs that are done, for the engine's thread.
    pub done: Inbox<Job>,
    /// The engine's thread sleeps on it.
    pub doorbell: &'static AtomicU32,
    /// The epoll; -1 where there is none.
    pub epoll: AtomicI32,
    /// The table of jobs.
    pub table: &'static [Job],
}

impl Shared {
    /// An empty shared.
    pub fn new(doorbell: &'static AtomicU32, table: &'static [Job]) -> Self {
        Self {
            files: Pool::new(FILE_WORKERS),
            streams: Pool::new(STREAM_WORKERS),
            done: Inbox::new(),
            doorbell,
            epoll: AtomicI32::new(-1),
            table,
        }
    }

    /// Does what is to be done for a job that the caller owns.
    pub fn run(&'static self, job: &'static Job) {
        let (task, life) = (job.task(), job.life());
        if !task.may_wait() {
            return self.finish(job, execute::blocking(&task));
        }
        loop {
            if job.is_cancel_requested() {
                return self.finish(job, CANCELED);
            }
            let events = match task.kind {
                Kind::Poll => task.events,
                _ if !self.can_wait() => return self.run_patiently(job, &task),
                _ => match execute::attempt(&task, &job.attempts) {
                    Answer::Done(result) => return self.finish(job, result),
                    Answer::Wait(events) => events,
                    Answer::Unknown => return self.run_patiently(job, &task),
                },
            };
            match poller::park(self, job, events) {
                Parked::Waits => {
                    // It may have become cancel_requested after it was last asked, and before it could be found waiting.
                    if job.is_cancel_requested() && job.try_claim_in(life) {
                        self.finish(job, CANCELED);
                    }
                    return;
                }
                Parked::Ready(seen) if task.kind == Kind::Poll => return self.finish(job, seen.into()),
                Parked::Ready(_) => {}
                // What cannot be waited for does not make wait.
                Parked::Refused(Errno(libc::EPERM)) if task.kind != Kind::Poll => {
                    return self.run_patiently(job, &task);
                }
                Parked::Refused(errno) => return self.finish(job, errno.negated()),
            }
        }
    }

    /// Does what may have to wait, in a system call that does.
    fn run_patiently(&'static self, job: &'static Job, task: &Task) {
        let result = if job.begin_to_wait() { execute::blocking(task) } else { CANCELED };
        self.finish(job, result);
    }

    fn can_wait(&self) -> bool {
        self.epoll.load(Ordering::Acquire) >= 0
    }

    /// Sends a job that the caller owns back with its result.
    pub fn finish(&self, job: &'static Job, result: i64) {
        poller::forget(self, job);
        job.result.set(result);
        let job = NonNull::from(job);
        // SAFETY: jobs are never freed, and nobody touches this one before it is taken.
        if unsafe { self.done.push(job, job) } == Pushed::MustNotify {
            // Release pairs with the Acquire before the engine's thread sleeps.
            self.doorbell.fetch_add(1, Ordering::Release);
            futex::wake(self.doorbell, 1);
            self.done.notified(job);
        }
    }
}
