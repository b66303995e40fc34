//! The pending deadlines of requests and the thread that waits for them: a request whose time is over is stopped as `aio_cancel`
//! stops it, and ends with `ETIMEDOUT`.
//!
//! One thread sleeps until the next deadline. A deadline is set and removed by the thread of the engine that has the request,
//! which alone knows that it is outstanding: so an aiocb is looked at only while it must be there, a request that has ended
//! leaves nothing behind, and the next request with the same aiocb is not taken for it. The thread does not exist before the
//! first deadline, and ends when there has been none for a second.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::BTreeMap;

use super::aiocb::AiocbRef;
use crate::engine::{self, Matcher, Operation};
use crate::host::fork::PerProcess;
use crate::host::futex::Deadline;
use crate::host::kernel::{self, Errno};
use crate::host::lock::Lock;
use crate::host::on_demand_thread::OnDemandThread;
use crate::host::{memory, this_thread};

static DEADLINES: PerProcess<Deadlines> = PerProcess::new(11);

/// The test of a [`Matcher`].
pub type Test = fn(operation: &Operation, arguments: &[usize; 3]) -> bool;

/// When, in nanoseconds of `CLOCK_MONOTONIC`; and which: no two deadlines have the same number.
pub type Key = (u64, u64);

/// The deadlines of this process.
pub struct Deadlines {
    /// Which operation is meant by the address of its aiocb and the number of its deadline.
    is_due: Test,
    /// Deadlines of outstanding requests, and the addresses of their aiocbs. Threads of the library's alone take the lock.
    pending: Lock<BTreeMap<Key, usize>>,
    /// The last number given.
    numbers: AtomicU64,
    /// Called for each deadline that is the first.
    timer: OnDemandThread,
}

/// The request, which is about to end, needs its deadline no more. For the engine's thread.
pub fn forget(aiocb: AiocbRef) {
    let key = aiocb.deadline();
    if key.0 != 0
        && let Some(deadlines) = DEADLINES.get()
    {
        deadlines.pending.lock().remove(&key);
    }
}

impl Deadlines {
    /// Those of this process; none so far, where there were none. The thread finds requests by `is_due`, which is given the
    /// address of the aiocb and the number of the deadline.
    ///
    /// # Errors
    /// `EAGAIN`: memory is out.
    pub fn get_or_make(is_due: Test) -> Result<&'static Self, Errno> {
        DEADLINES.get_or_init(|| memory::boxed(Self::new(is_due))).map_err(|_| Errno(libc::EAGAIN))
    }

    /// Those of this process.
    pub fn get() -> Option<&'static Self> {
        DEADLINES.get()
    }

    const fn new(is_due: Test) -> Self {
        Self {
            is_due,
            pending: Lock::new(BTreeMap::new()),
            numbers: AtomicU64::new(0),
            timer: OnDemandThread::new(watch),
        }
    }

    /// A number that no deadline has.
    pub fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Gives an outstanding request this deadline, in place of one that it has; a time of 0 is none. For the engine's thread.
    pub fn replace(&'static self, aiocb: AiocbRef, key: Key) {
        let before = aiocb.deadline();
        aiocb.set_deadline(key);
        let mut pending = self.pending.lock();
        pending.remove(&before);
        if key.0 == 0 {
            return;
        }
        pending.insert(key, aiocb.address());
        let is_first = pending.first_key_value().is_some_and(|(&first, _)| first == key);
        drop(pending);
        if is_first {
            self.timer.call(self.argument());
        }
    }

    /// Starts the thread unless there is one.
    ///
    /// # Errors
    /// `EAGAIN`: no thread can be started.
    pub fn start(&'static self) -> Result<(), Errno> {
        self.timer.start(self.argument())
    }

    fn argument(&'static self) -> *mut c_void {
        ptr::from_ref(self).cast_mut().cast()
    }

    /// Takes the first deadline, if its time is over; else says when that will be.
    fn take_due(&self) -> Result<(Key, usize), Option<u64>> {
        let mut pending = self.pending.lock();
        match pending.first_key_value() {
            Some((&(at, _), _)) if at > kernel::now() => Err(Some(at)),
            _ => pending.pop_first().ok_or(None),
        }
    }
}

extern "C" fn watch(deadlines: *mut c_void) -> *mut c_void {
    this_thread::set_name(c"uringaio-timer");
    // SAFETY: `start` passed the deadlines, which live as long as the process.
    let deadlines = unsafe { &*deadlines.cast::<Deadlines>() };
    loop {
        let seen = deadlines.timer.calls();
        match deadlines.take_due() {
            Ok(((_, number), address)) => {
                if let Some(engines) = engine::started() {
                    let matcher = Matcher { test: deadlines.is_due, arguments: [address, number as usize, 0] };
                    let _ = engines.stop(matcher, Errno(libc::ETIMEDOUT));
                }
            }
            Err(next) if deadlines.timer.sleep(seen, next.map(Deadline::At)) => return ptr::null_mut(),
            Err(_) => {}
        }
    }
}
