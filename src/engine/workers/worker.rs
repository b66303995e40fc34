//! The workers: threads that come and go with the work, and share everything.
//!
//! A worker that wakes first runs the reactor, unless another does: it takes what was submitted, reports what is done,
//! and queues jobs. Then it takes a job, and afterwards runs the reactor again to report it. So a request that comes
//! alone wakes one thread, which does it and reports it. While there is work, one worker more than that sleeps on the
//! doorbell, to hear what else is submitted; a worker that takes a job sees to it.
//!
//! ```text
//!                   ┌─────────────── done ──────────────┐
//!                   ↓                                   │
//!   wake ──→ run the reactor: submitted → jobs, ──→ take a job and do it; if it may block for ever,
//!    ↑                        done → finished       the worker does not count among those of its class any more
//!    │              │ nothing to do
//!    │              ↓
//!    └── sleep on the doorbell ──→ end, after a second; the last worker ends the poller and the broker
//!         (a submitter, the poller, another worker wakes one)
//! ```

use core::ffi::{c_int, c_void};
use core::ptr;
use core::sync::atomic::Ordering;
use core::time::Duration;

use super::crew::{Crew, Slot};
use super::job::Job;
use super::queue::{Queue, STUCK_NS};
use super::run;
use super::shared_reactor::SharedReactor;
use crate::host::futex::{self, Deadline};
use crate::host::kernel;
use crate::host::thread::{self, JoinHandle};
use crate::stats;

/// The pause between two attempts at what no thread tells of: more threads, room in the descriptor table.
const RETRY: Duration = Duration::from_nanos(STUCK_NS);

/// How long a request that no thread is told of waits at most, while a write is under way that mostly takes far less.
const LOOK: Duration = Duration::from_millis(1);

/// One of the workers.
struct Worker {
    reactor: &'static SharedReactor,
    /// Its thread's id.
    id: c_int,
}

/// What a worker does next.
enum Next {
    Job(&'static Job),
    /// It sleeps, and ends if it sleeps until then.
    Rest(Deadline),
    /// It sleeps for so long, and looks again.
    Retry(Duration),
}

/// Starts the workers that were asked for. Runs on the poller's thread. Whether all could be started.
pub fn start(reactor: &'static SharedReactor) -> bool {
    let mut all = true;
    while reactor.crew.queue.lock().take_start() {
        if thread::start_joinable(body, ptr::from_ref(reactor).cast_mut().cast()).is_err() {
            reactor.crew.queue.lock().start_failed();
            all = false;
        }
    }
    all
}

extern "C" fn body(reactor: *mut c_void) -> *mut c_void {
    // SAFETY: `start` passed the reactor, which lives as long as the process.
    let reactor: &'static SharedReactor = unsafe { &*reactor.cast::<SharedReactor>() };
    Worker { reactor, id: kernel::thread_id() }.work();
    ptr::null_mut()
}

fn join(before: Option<JoinHandle>) {
    if let Some(before) = before {
        before.join();
    }
}

impl Worker {
    /// What a worker does from its start to its end.
    fn work(&self) {
        let crew = self.crew();
        crew.queue.lock().arrive();
        let mut slot = Slot { crew, class: None, file: None, is_alone: false };
        loop {
            // Acquire pairs with the Release of each ringer. Read before anything is looked at: what comes later
            // changes it.
            let seen = crew.engine.doorbell.load(Ordering::Acquire);
            self.reactor.run(self.id);
            let (deadline, may_end) = match self.next(&mut slot) {
                Next::Job(job) => {
                    run::run(crew, job, &mut slot);
                    continue;
                }
                Next::Rest(deadline) => (deadline, true),
                Next::Retry(pause) => (Deadline::after(pause), false),
            };
            stats::slept(true);
            let _ = futex::wait(&crew.engine.doorbell, seen, deadline);
            if self.wake(may_end, deadline.is_over()) {
                return;
            }
        }
    }

    const fn crew(&self) -> &'static Crew {
        self.reactor.crew
    }

    /// What the worker does next. A job is its own from here on.
    fn next(&self, slot: &mut Slot) -> Next {
        let crew = self.crew();
        let mut queue = crew.queue.lock();
        if let Some(class) = slot.class.take() {
            queue.leave(class, slot.file.take());
        }
        queue.release_stuck();
        if !queue.is_empty() && !queue.has_work() {
            queue.loosen(kernel::now());
        }
        let asks = queue.ask_for_worker();
        slot.is_alone = queue.is_alone();
        let next = if let Some((job, class)) = queue.claim() {
            (slot.class, slot.file) = (Some(class), job.place.get());
            Next::Job(job)
        } else {
            let sleep = self.sleep(&queue);
            queue.idle += 1;
            queue.looking += u32::from(matches!(sleep, Next::Retry(_)));
            sleep
        };
        crew.call_one(queue, asks);
        next
    }

    /// How long a worker sleeps that finds nothing to do.
    fn sleep(&self, queue: &Queue) -> Next {
        let crew = self.crew();
        if queue.has_any_ready() || crew.wants_retry.load(Ordering::Relaxed) {
            return Next::Retry(RETRY);
        }
        // One worker that looks by itself is enough.
        if queue.looking == 0 && (queue.holds_writes() || crew.comes_again.load(Ordering::Relaxed)) {
            return Next::Retry(LOOK);
        }
        Next::Rest(if let Some(since) = crew.quiet_since() {
            Deadline::At(since + crew.engine.idle_exit_ms() * 1_000_000)
        } else if queue.idle > 0 && !crew.engine.stays.load(Ordering::Relaxed) {
            crew.engine.idle_exit()
        } else {
            Deadline::Never
        })
    }

    /// The worker has woken, after a sleep in which it `may_end`. True: it ends, and has done all that is to be done before.
    fn wake(&self, may_end: bool, timed_out: bool) -> bool {
        let crew = self.crew();
        let mut queue = crew.queue.lock();
        queue.resume();
        queue.looking -= u32::from(!may_end);
        if queue.wake() || !may_end || !timed_out || crew.engine.stays.load(Ordering::Relaxed) || !queue.is_empty() {
            return false;
        }
        if queue.is_alone() {
            let is_last = queue.is_last();
            drop(queue);
            return is_last && crew.quiet_since().is_some() && self.leave();
        }
        // Another one hears what is submitted.
        let before = queue.end();
        drop(queue);
        join(before);
        if crew.quiet_since().is_some() {
            // That one may have nothing to wake it.
            crew.wake_worker();
        }
        true
    }

    /// The last worker ends, and the poller with it, if nothing has come. Whether it did.
    fn leave(&self) -> bool {
        let crew = self.crew();
        let leaves = || crew.queue.lock().is_last() && crew.engine.leave();
        if !self.reactor.run_and_leave(self.id, leaves) {
            return false;
        }
        join(crew.queue.lock().end());
        crew.epoll.dismiss();
        true
    }
}
