//! Threads that come and go with the work: a queue, and workers that take from it.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use super::job::Job;
use super::shared::Shared;
use crate::host::futex::{self, Deadline};
use crate::host::kernel::Errno;
use crate::host::lock::Lock;
use crate::host::thread;

/// A worker that had nothing to do for so long ends.
const IDLE: Duration = Duration::from_secs(10);

/// A queue and its workers.
pub struct Pool {
    state: Lock<State>,
    /// Changes with every wake. Idle workers sleep on it.
    word: AtomicU32,
    /// The most workers.
    most: u32,
}

struct State {
    first: Option<&'static Job>,
    last: Option<&'static Job>,
    queued: u32,
    workers: u32,
    /// Asleep, or about to be.
    idle: u32,
    /// Woken or started, and not at work yet.
    coming: u32,
    /// Of those, the woken ones.
    woken: u32,
}

impl State {
    fn pop(&mut self) -> Option<&'static Job> {
        let job = self.first?;
        self.first = job.next.get();
        if self.first.is_none() {
            self.last = None;
        }
        self.queued -= 1;
        Some(job)
    }

    fn remove(&mut self, job: &'static Job) -> bool {
        let mut before: Option<&'static Job> = None;
        let mut at = self.first;
        while let Some(this) = at {
            let after = this.next.get();
            if ptr::eq(this, job) {
                match before {
                    Some(before) => before.next.set(after),
                    None => self.first = after,
                }
                if after.is_none() {
                    self.last = before;
                }
                self.queued -= 1;
                return true;
            }
            before = at;
            at = after;
        }
        false
    }
}

impl Pool {
    /// A pool without a worker yet.
    pub const fn new(most: u32) -> Self {
        let state = State { first: None, last: None, queued: 0, workers: 0, idle: 0, coming: 0, woken: 0 };
        Self { state: Lock::new(state), word: AtomicU32::new(0), most }
    }

    /// Queues a chain of `count` jobs, linked from `first` to `last`, and sees to it that workers come. False: there is no
    /// worker and none can be had; whoever calls has to do what is queued.
    pub fn push(&self, shared: &'static Shared, first: &'static Job, last: &'static Job, count: u32) -> bool {
        let (wake, start) = {
            let mut state = self.state.lock();
            match state.last {
                Some(before) => before.next.set(Some(first)),
                None => state.first = Some(first),
            }
            state.last = Some(last);
            state.queued += count;
            let wanting = state.queued.saturating_sub(state.coming);
            let wake = wanting.min(state.idle - state.woken);
            let start = (wanting - wake).min(self.most - state.workers);
            state.woken += wake;
            state.coming += wake + start;
            state.workers += start;
            (wake, start)
        };
        if wake > 0 {
            self.word.fetch_add(1, Ordering::Release);
            futex::wake(&raw const self.word, wake);
        }
        for missing in (1..=start).rev() {
            if self.start(shared).is_err() {
                let mut state = self.state.lock();
                state.coming -= missing;
                state.workers -= missing;
                return state.workers > 0;
            }
        }
        true
    }

    /// Takes the oldest job.
    pub fn pop(&self) -> Option<&'static Job> {
        self.state.lock().pop()
    }

    /// Takes this job, if it is still queued.
    pub fn remove(&self, job: &'static Job) -> bool {
        self.state.lock().remove(job)
    }

    fn start(&self, shared: &'static Shared) -> Result<(), Errno> {
        let body = if ptr::eq(self, &raw const shared.streams) { stream_worker } else { file_worker };
        thread::start(body, ptr::from_ref(shared).cast_mut().cast())
    }

    fn work(&self, shared: &'static Shared) {
        thread::set_name(c"uringaio");
        let mut state = self.state.lock();
        state.coming -= 1;
        loop {
            if let Some(job) = state.pop() {
                drop(state);
                shared.run(job);
                state = self.state.lock();
                continue;
            }
            state.idle += 1;
            let seen = self.word.load(Ordering::Acquire);
            drop(state);
            let slept = futex::wait(&self.word, seen, Deadline::after(IDLE));
            state = self.state.lock();
            state.idle -= 1;
            if state.woken > 0 {
                // Whoever was meant: one is enough for each.
                state.woken -= 1;
                state.coming -= 1;
            } else if slept == Err(Errno(libc::ETIMEDOUT)) && state.queued == 0 {
                state.workers -= 1;
                return;
            }
        }
    }
}

extern "C" fn file_worker(shared: *mut c_void) -> *mut c_void {
    // SAFETY: `start` passed the shared, which lives as long as the process.
    let shared: &'static Shared = unsafe { &*shared.cast::<Shared>() };
    shared.files.work(shared);
    ptr::null_mut()
}

extern "C" fn stream_worker(shared: *mut c_void) -> *mut c_void {
    // SAFETY: as above.
    let shared: &'static Shared = unsafe { &*shared.cast::<Shared>() };
    shared.streams.work(shared);
    ptr::null_mut()
}
