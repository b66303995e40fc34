//! The inbox of an engine: a list that any thread pushes onto with one compare-and-swap, and the engine's thread takes
//! whole.
//!
//! Bounded by nothing but the operations themselves, each of which brings its own link. So a push does not allocate,
//! and an interrupted pusher does not hold up the engine (the consumer of a ring buffer would wait for it).
//!
//! The head also tells what the engine's thread does, so that one word answers every question:
//!
//! | head | meaning |
//! |---|---|
//! | `IDLE` | nothing is queued, all that was taken has reached the kernel, the thread is awake |
//! | `ASLEEP` | the same, and the thread sleeps: a pusher must notify it |
//! | `BUSY` | nothing is queued, but what was taken may not have reached the kernel yet |
//! | `GONE` | nothing is queued, and there is no thread: a pusher must start it first |
//! | an operation | the newest of those queued; the list ends in one of the first three |
//! | an operation, marked | the same, the thread sleeps, and no pusher has notified it yet |
//!
//! The mark is for a signal handler that pushes and waits for what it has pushed, while the thread that it has
//! interrupted is between its own push and its notification, and cannot notify before the handler returns. So every
//! pusher notifies until one has done so: the engine's thread is notified of everything that a call which has returned
//! submitted.

use core::ptr::{self, NonNull};

#[cfg(not(loom))]
use core::sync::atomic::{AtomicPtr, Ordering};
#[cfg(loom)]
use loom::sync::atomic::{AtomicPtr, Ordering};

const IDLE: usize = 0;
const BUSY: usize = 1;
const ASLEEP: usize = 2;
const GONE: usize = 3;

/// The mark, in a node's address.
const UNNOTIFIED: usize = 1;

/// Something with a link of its own.
///
/// # Safety
/// `link` must give the same word at every call, and nothing else may use it while the node is in an inbox. The node's
/// address must be a multiple of 4.
pub unsafe trait Node: Sized {
    /// The word that holds the next node.
    fn link(&self) -> &AtomicPtr<Self>;
}

/// Turns a list around that was taken whole: gives the oldest node, from which the links lead to the newest and end in
/// null.
///
/// # Safety
/// The nodes, from the newest down to the oldest, are valid, and the caller's alone.
#[must_use]
pub unsafe fn oldest_first<T: Node>(newest: *mut T) -> Option<NonNull<T>> {
    let (mut node, mut newer) = (newest, ptr::null_mut());
    while let Some(this) = real(node) {
        // SAFETY: the caller's promise.
        let link = unsafe { this.as_ref() }.link();
        // Relaxed: the caller acquired the list when it took it.
        node = link.load(Ordering::Relaxed);
        link.store(newer, Ordering::Relaxed);
        newer = this.as_ptr();
    }
    NonNull::new(newer)
}

/// The node behind this one, in a list that was taken.
///
/// # Safety
/// The node is valid, and the caller's alone.
#[must_use]
pub unsafe fn next<T: Node>(node: NonNull<T>) -> Option<NonNull<T>> {
    // SAFETY: the caller's promise. Relaxed: as above.
    NonNull::new(unsafe { node.as_ref() }.link().load(Ordering::Relaxed))
}

/// The list.
pub struct Inbox<T> {
    head: AtomicPtr<T>,
}

/// What a push asks of the pusher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Pushed {
    /// Nothing: the engine's thread will look.
    Seen,
    /// The engine's thread sleeps: notify it, and say so by [`Inbox::notified`].
    MustNotify,
    /// There is no thread. Nothing was pushed: start the thread, and push again.
    Gone,
}

impl<T: Node> Inbox<T> {
    /// An empty inbox whose thread is awake.
    #[must_use]
    pub fn new() -> Self {
        Self { head: AtomicPtr::new(marker(IDLE)) }
    }

    /// An empty inbox whose thread is not there yet.
    #[must_use]
    pub fn without_thread() -> Self {
        Self { head: AtomicPtr::new(marker(GONE)) }
    }

    /// Queues a chain of nodes that are already linked from `newest` down to `oldest`.
    ///
    /// # Safety
    /// The nodes are valid, linked in that order, and stay untouched until they have been taken.
    pub unsafe fn push(&self, newest: NonNull<T>, oldest: NonNull<T>) -> Pushed {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            if is(head, GONE) {
                return Pushed::Gone;
            }
            // SAFETY: the caller's node, not yet visible to the taker. Relaxed: published by the exchange below.
            unsafe { oldest.as_ref() }.link().store(head, Ordering::Relaxed);
            let must_notify = is(head, ASLEEP) || is_marked(head);
            let new = if must_notify { marked(newest) } else { newest.as_ptr() };
            // Release pairs with the Acquire of `take`: the taker sees the nodes as the pusher left them.
            match self.head.compare_exchange_weak(head, new, Ordering::Release, Ordering::Relaxed) {
                Ok(_) if must_notify => return Pushed::MustNotify,
                Ok(_) => return Pushed::Seen,
                Err(now) => head = now,
            }
        }
    }

    /// Says that the thread was notified of the push of `newest`.
    pub fn notified(&self, newest: NonNull<T>) {
        // If it fails, the node was taken, or a later pusher notifies for its own. Release: the taker still sees the
        // nodes.
        let _ = self.head.compare_exchange(marked(newest), newest.as_ptr(), Ordering::Release, Ordering::Relaxed);
    }

    /// Takes everything queued, and gives the oldest node, from which the links lead to the newest and end in null.
    /// From here on the inbox is busy, until [`Inbox::all_reached`].
    pub fn take(&self) -> Option<NonNull<T>> {
        real(self.head.load(Ordering::Relaxed))?;
        // Acquire pairs with the Release of `push`.
        let newest = self.head.swap(marker(BUSY), Ordering::Acquire);
        // SAFETY: pushed nodes are valid until taken, and are now this thread's alone.
        unsafe { oldest_first(newest) }
    }

    /// The taker says that all it has taken has reached the kernel. False if more has come meanwhile.
    pub fn all_reached(&self) -> bool {
        let head = self.head.load(Ordering::Relaxed);
        if is(head, IDLE) || is(head, ASLEEP) {
            return true;
        }
        // Release pairs with the Acquire of `is_settled`: the kernel has the files.
        is(head, BUSY) && self.head.compare_exchange(head, marker(IDLE), Ordering::Release, Ordering::Relaxed).is_ok()
    }

    /// The taker is about to sleep, or does so already. False if something has come, and it must not.
    pub fn fall_asleep(&self) -> bool {
        is(self.head.load(Ordering::Relaxed), ASLEEP)
            || self.head.compare_exchange(marker(IDLE), marker(ASLEEP), Ordering::Release, Ordering::Relaxed).is_ok()
    }

    /// The taker is awake again.
    pub fn wake_up(&self) {
        // If it fails, someone has pushed; the push replaced the mark.
        let _ = self.head.compare_exchange(marker(ASLEEP), marker(IDLE), Ordering::Release, Ordering::Relaxed);
    }

    /// The taker, which sleeps as far as pushers know, is about to end. False if something has come, and it must not.
    pub fn leave(&self) -> bool {
        // Release: what the taker has left behind is seen by its successor, which was started by a thread that saw
        // this.
        self.head.compare_exchange(marker(ASLEEP), marker(GONE), Ordering::Release, Ordering::Relaxed).is_ok()
    }

    /// A taker is there again, and awake.
    pub fn arrive(&self) {
        // Acquire pairs with the Release of `leave`. If it fails, there was a taker before.
        let _ = self.head.compare_exchange(marker(GONE), marker(IDLE), Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Whether everything pushed before this call has reached the kernel.
    pub fn is_settled(&self) -> bool {
        // Acquire pairs with the Release of `all_reached` and the marks that follow it.
        let head = self.head.load(Ordering::Acquire);
        is(head, IDLE) || is(head, ASLEEP) || is(head, GONE)
    }

    /// Whether there is a taker, or one that is about to end may still have something.
    pub fn has_taker(&self) -> bool {
        // Acquire pairs with the Release of `leave`.
        !is(self.head.load(Ordering::Acquire), GONE)
    }

    /// Whether something was pushed of which no pusher has notified the thread yet.
    pub fn is_unnotified(&self) -> bool {
        is_marked(self.head.load(Ordering::Relaxed))
    }

    /// Whether something waits to be taken.
    pub fn is_waiting(&self) -> bool {
        real(self.head.load(Ordering::Relaxed)).is_some()
    }
}

impl<T: Node> Default for Inbox<T> {
    fn default() -> Self {
        Self::new()
    }
}

fn marker<T>(word: usize) -> *mut T {
    ptr::without_provenance_mut(word)
}

fn is<T>(head: *mut T, word: usize) -> bool {
    head.addr() == word
}

fn is_marked<T>(head: *mut T) -> bool {
    head.addr() > GONE && head.addr() & UNNOTIFIED != 0
}

fn marked<T>(node: NonNull<T>) -> *mut T {
    node.as_ptr().map_addr(|address| address | UNNOTIFIED)
}

fn real<T>(head: *mut T) -> Option<NonNull<T>> {
    if head.addr() > GONE { NonNull::new(head.map_addr(|address| address & !UNNOTIFIED)) } else { None }
}
