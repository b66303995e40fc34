//! A thread of the library that is there while it has work: the first call starts it, it ends when it has had nothing to do
//! for a while, and the next call starts it again.

use core::ffi::c_void;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::time::Duration;

use super::fd_broker;
use super::futex::{self, Deadline};
use super::kernel::Errno;
use super::thread;

/// How long such a thread stays without work.
const IDLE_EXIT: Duration = Duration::from_secs(1);

/// One thread, which may exist or not.
pub struct OnDemandThread {
    body: thread::Body,
    exists: AtomicBool,
    /// Counts calls. The thread sleeps on it.
    calls: AtomicU32,
}

impl OnDemandThread {
    /// There is no thread yet. It will run `body`, which must return as soon as [`OnDemandThread::sleep`] says so.
    pub const fn new(body: thread::Body) -> Self {
        Self { body, exists: AtomicBool::new(false), calls: AtomicU32::new(0) }
    }

    /// Starts the thread, with the program's descriptors, unless there is one. `argument` is always the same.
    ///
    /// # Errors
    /// `EAGAIN`: no thread can be started.
    pub fn start(&self, argument: *mut c_void) -> Result<(), Errno> {
        // SeqCst pairs with `sleep`.
        if self.exists.load(Ordering::SeqCst) || self.exists.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        fd_broker::start_thread(self.body, argument).map_err(|_| {
            self.exists.store(false, Ordering::SeqCst);
            Errno(libc::EAGAIN)
        })
    }

    /// Wakes the thread for work that it can find now, and starts it if there is none. If that fails, the next call tries
    /// again.
    pub fn call(&self, argument: *mut c_void) {
        // SeqCst pairs with `sleep`: either a thread that is about to end sees the call, or this one sees that it has ended.
        self.calls.fetch_add(1, Ordering::SeqCst);
        futex::wake(&raw const self.calls, 1);
        let _ = self.start(argument);
    }

    /// For the thread: how often it was called. To be read before it looks for work, so that a later call ends its sleep.
    pub fn calls(&self) -> u32 {
        // Acquire pairs with `call`.
        self.calls.load(Ordering::Acquire)
    }

    /// For the thread: sleeps until it is called again after `seen` calls, or until `next` in work that it has. True: it had
    /// none for long, and must end.
    #[must_use]
    pub fn sleep(&self, seen: u32, next: Option<Deadline>) -> bool {
        let waited = futex::wait(&self.calls, seen, next.unwrap_or_else(|| Deadline::after(IDLE_EXIT)));
        if next.is_some() || waited != Err(Errno(libc::ETIMEDOUT)) {
            return false;
        }
        // SeqCst pairs with `call`.
        self.exists.store(false, Ordering::SeqCst);
        self.calls.load(Ordering::SeqCst) == seen || self.exists.swap(true, Ordering::SeqCst)
    }
}
