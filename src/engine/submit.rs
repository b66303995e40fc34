//! How operations and commands reach an engine's threads.

use core::ptr::{self, NonNull};
use core::sync::atomic::{Ordering, fence};
use core::time::Duration;

use super::cancel::{Matcher, Outcome, Task};
use super::engines;
use super::inbox::{self, Pushed};
use super::lifecycle::{Carrier, ENGINE_WAIT_MS, Engine, SETTLE_TICK};
use super::operation::{Kind, Operation, finish_unheld};
use super::redo::do_in_caller;
use super::uring::DOORBELL_SIGNAL;
use super::wake_batch::WakeBatch;
use crate::host::futex::{self, Deadline};
use crate::host::kernel::{self, Errno, syscall};
use crate::stats::{self, Face};

impl Engine {
    /// Submits an operation. Allocates nothing and takes no lock, unless a thread has to be started.
    ///
    /// # Safety
    /// The operation, and what it points to, stay valid and untouched until its `Finish` is called. (Buffers that the
    /// program unmaps meanwhile lead to `-EFAULT` or to bytes in whatever is mapped there by then, as with any system
    /// call.)
    #[inline]
    pub unsafe fn submit(&'static self, operation: NonNull<Operation>) {
        // SAFETY: the caller's promise.
        unsafe { self.submit_chain(operation, operation) };
    }

    /// Submits a chain of operations at once; see [`chain`].
    ///
    /// # Safety
    /// As for [`Engine::submit`], for each.
    pub unsafe fn submit_chain(&'static self, newest: NonNull<Operation>, oldest: NonNull<Operation>) {
        let stamp = stats::stamp();
        if stamp != 0 {
            // SAFETY: the caller's promise.
            unsafe { stamp_chain(newest, oldest, stamp) };
        }
        // SAFETY: the caller's promise.
        while !unsafe { self.push(newest, oldest) } {
            // The thread has ended since the caller asked for the engine.
            if !self.serve() {
                // SAFETY: the caller's promise; nothing was pushed.
                return unsafe { self.divert(newest, oldest) };
            }
        }
    }

    /// Pushes a chain, and notifies the thread. False: there is none, and nothing was pushed.
    ///
    /// # Safety
    /// As for [`Engine::submit`], for each.
    #[inline]
    pub(super) unsafe fn push(&self, newest: NonNull<Operation>, oldest: NonNull<Operation>) -> bool {
        // SAFETY: the caller's promise.
        match unsafe { self.inbox.push(newest, oldest) } {
            Pushed::Seen => {}
            Pushed::MustNotify => {
                stats::doorbell_notified();
                self.notify();
                self.inbox.notified(newest);
            }
            Pushed::Gone => return false,
        }
        true
    }

    /// No thread of this engine can be started: the workers serve instead of io_uring, and where they cannot either, the
    /// operations [end](end_here) in the calling thread.
    ///
    /// # Safety
    /// As for [`Engine::submit`], for each.
    #[cold]
    unsafe fn divert(&self, newest: NonNull<Operation>, oldest: NonNull<Operation>) {
        if self.carrier() == Carrier::Uring
            && let Some(workers) = engines::workers()
        {
            // SAFETY: the caller's promise.
            return unsafe { workers.submit_chain(newest, oldest) };
        }
        // SAFETY: the caller's promise; nothing was pushed.
        unsafe { end_here(newest, oldest) };
    }

    /// Wakes the engine's thread.
    pub(super) fn notify(&self) {
        // Pairs with the Release of the sleeper's mark, which the push has seen: it is the thread that sleeps now.
        fence(Ordering::Acquire);
        let thread = self.wants_signal.load(Ordering::Relaxed);
        if thread != 0 {
            let process = self.process.load(Ordering::Relaxed);
            // SAFETY: a signal that is blocked in that thread.
            let _ = unsafe { syscall!(libc::SYS_tgkill, process, thread, DOORBELL_SIGNAL) };
        }
        // Release pairs with the Acquire before the thread sleeps.
        self.doorbell.fetch_add(1, Ordering::Release);
        futex::wake(&raw const self.doorbell, 1);
    }

    /// Wakes the engine's thread for what a submitter pushed and was kept from notifying of: a signal handler left its
    /// call.
    pub fn notify_if_missed(&self) {
        if self.inbox.is_unnotified() {
            self.notify();
        }
    }

    /// Returns when everything that was submitted before has reached the kernel by its own reference, or the engine's
    /// own descriptor table: the program may close the descriptor, reuse its number, or change its flags. One load
    /// where nothing is on its way. The wait is for a count that outlives the caller, which may leave it by a jump; it
    /// has an end.
    pub fn settle(&self) {
        if self.inbox.is_settled() || self.thread.load(Ordering::Relaxed) == kernel::thread_id() {
            return;
        }
        let deadline = Deadline::after(Duration::from_millis(ENGINE_WAIT_MS));
        // Acquire pairs with the Release of `end_turn`.
        let first = self.turns.load(Ordering::Acquire);
        loop {
            let now = self.turns.load(Ordering::Acquire);
            // What was submitted before is taken at the latest in the next turn.
            if self.inbox.is_settled() || now.wrapping_sub(first) >= 2 || deadline.is_over() {
                return;
            }
            self.notify_if_missed();
            // SeqCst pairs with `end_turn`: either it sees this, or we see the turn.
            self.turn_awaited.store(1, Ordering::SeqCst);
            if self.turns.load(Ordering::SeqCst) == now {
                let _ = futex::wait(&self.turns, now, deadline.sooner(Deadline::after(SETTLE_TICK)));
            }
        }
    }

    /// The engine's thread: all that it has taken has reached the kernel.
    pub(super) fn end_turn(&self) {
        self.turns.fetch_add(1, Ordering::SeqCst);
        if self.turn_awaited.load(Ordering::SeqCst) != 0 {
            self.turn_awaited.store(0, Ordering::SeqCst);
            futex::wake_all(&raw const self.turns);
        }
    }

    /// Stops what is outstanding and meant, so that it ends with `-ECANCELED`. Returns when it is known of each how it went,
    /// or the engine's thread does not answer.
    #[must_use]
    pub fn cancel(&self, matcher: Matcher) -> Outcome {
        self.stop(matcher, Errno(libc::ECANCELED))
    }

    /// The same, with another error.
    #[must_use]
    pub fn stop(&self, matcher: Matcher, error: Errno) -> Outcome {
        self.command(Task::Stop(matcher, error.0 as u8))
    }

    /// How many operations that are meant are outstanding. They go on.
    #[must_use]
    pub fn count(&self, matcher: Matcher) -> u32 {
        self.command(Task::Count(matcher)).refused
    }

    /// Returns when what the device keeps open for the program's `fd` is closed; with -1, for all.
    pub(super) fn let_go(&self, fd: i32) {
        self.command(Task::LetGo(fd));
    }

    fn command(&self, task: Task) -> Outcome {
        if self.thread.load(Ordering::Relaxed) == kernel::thread_id() {
            return Outcome::default();
        }
        let Some(command) = self.commands.take(task) else { return Outcome::UNKNOWN };
        let operation = command.operation();
        // SAFETY: a command is in memory that is never freed, and stays untouched until it is answered.
        if unsafe { self.push(operation, operation) } {
            return command.wait(Deadline::after(Duration::from_millis(ENGINE_WAIT_MS)));
        }
        // Without a thread there is nothing outstanding.
        command.put_back();
        Outcome::default()
    }
}

/// Ends the operations of a chain for which no engine can be started: the calling thread does what libaio asks for, as the
/// kernel's AIO would, and those of POSIX AIO end with `EAGAIN`.
///
/// # Safety
/// As for [`Engine::submit`], for each. They were not pushed.
#[cold]
pub unsafe fn end_here(newest: NonNull<Operation>, oldest: NonNull<Operation>) {
    // SAFETY: the caller's promise. Relaxed: the chain is this thread's.
    unsafe { oldest.as_ref() }.link.store(ptr::null_mut(), Ordering::Relaxed);
    let mut wakes = WakeBatch::new();
    // SAFETY: as above.
    let mut next = unsafe { inbox::oldest_first(newest.as_ptr()) };
    while let Some(operation) = next {
        // SAFETY: as above; what is finished is not touched again.
        unsafe {
            next = inbox::next(operation);
            let result = match operation.as_ref() {
                Operation { kind: Kind::Nop, .. } => 0,
                Operation { face: Face::Posix, .. } => Errno(libc::EAGAIN).negated(),
                operation => do_in_caller(operation),
            };
            let eventfds = operation.as_ref().eventfd_numbers();
            finish_unheld(operation, result, eventfds, &mut wakes);
        }
    }
    wakes.wake_now();
}

/// Links `newer` behind `older`, for [`Engine::submit_chain`].
///
/// # Safety
/// Both are valid, and not submitted yet.
pub unsafe fn chain(older: NonNull<Operation>, newer: NonNull<Operation>) {
    // SAFETY: the caller's promise. Relaxed: the push publishes.
    unsafe { newer.as_ref() }.link.store(older.as_ptr(), Ordering::Relaxed);
}

/// Notes when the operations of a chain were submitted.
///
/// # Safety
/// As for [`Engine::submit_chain`].
#[cold]
unsafe fn stamp_chain(newest: NonNull<Operation>, oldest: NonNull<Operation>, stamp: u64) {
    let mut operation = newest;
    loop {
        // SAFETY: the caller's promise: they are valid, and linked from the newest to the oldest.
        let this = unsafe { operation.as_mut() };
        this.stamp = stamp;
        match NonNull::new(this.link.load(Ordering::Relaxed)) {
            Some(older) if operation != oldest => operation = older,
            _ => return,
        }
    }
}
