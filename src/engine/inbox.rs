//! The way in: a list that any thread pushes onto with one compare-and-swap, and the engine's thread takes whole.
//!
//! Bounded by nothing but the operations themselves, each of which brings its own link, so a push cannot fail, does not
//! allocate, and cannot be held up by another pusher that was interrupted half-way (a ring buffer's taker would wait for it).
//!
//! The head also tells what the engine's thread is at, so that one word answers every question:
//!
//! | head | meaning |
//! |---|---|
//! | `IDLE` | nothing is queued, all that was taken has reached the kernel, the thread is awake |
//! | `ASLEEP` | the same, and the thread sleeps: whoever pushes must ring |
//! | `BUSY` | nothing is queued, but what was taken may not have reached the kernel yet |
//! | an operation | the newest of those queued; the list ends in one of the above |
//! | an operation, marked | the same, and the thread sleeps, and nobody has rung yet |
//!
//! The mark is for a signal handler that pushes and waits for what it has pushed, while the thread that it has interrupted is
//! on its way from its own push to its ring, and will not ring before the handler has returned. So everybody who pushes
//! rings, until one has: what a finished call has submitted is always rung for.

use core::ptr::{self, NonNull};

#[cfg(not(loom))]
use core::sync::atomic::{AtomicPtr, Ordering};
#[cfg(loom)]
use loom::sync::atomic::{AtomicPtr, Ordering};

const IDLE: usize = 0;
const BUSY: usize = 1;
const ASLEEP: usize = 2;

/// The mark, in a node's address.
const UNNOTIFIED: usize = 1;

/// Something with a link of its own.
///
/// # Safety
/// `link` must give the same word at every call, and nobody else may use it while the node is in an inbox. The node's
/// address must be a multiple of 4.
pub unsafe trait Node: Sized {
    /// The word that holds the next node.
    fn link(&self) -> &AtomicPtr<Self>;
}

/// Turns a list around that was taken whole: gives the oldest node, from which the links lead to the newest and end in null.
///
/// # Safety
/// The nodes, from the newest down to the oldest, are valid, and the caller's alone.
#[must_use]
pub unsafe fn oldest_first<T: Node>(newest: *mut T) -> Option<NonNull<T>> {
    let (mut node, mut newer) = (newest, ptr::null_mut());
    while let Some(this) = real(node) {
        // SAFETY: the caller's promise.
        let link = unsafe { this.as_ref() }.link();
        // Relaxed: whoever has taken the list has acquired it.
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
}

impl<T: Node> Inbox<T> {
    /// An empty inbox whose taker is awake.
    #[must_use]
    pub fn new() -> Self {
        Self { head: AtomicPtr::new(marker(IDLE)) }
    }

    /// Queues a chain of nodes that are already linked from `newest` down to `oldest`.
    ///
    /// # Safety
    /// The nodes are valid, linked in that order, and stay untouched until they have been taken.
    pub unsafe fn push(&self, newest: NonNull<T>, oldest: NonNull<T>) -> Pushed {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            // SAFETY: the caller's node, not yet visible to the taker. Relaxed: published by the exchange below.
            unsafe { oldest.as_ref() }.link().store(head, Ordering::Relaxed);
            let must_ring = is(head, ASLEEP) || is_marked(head);
            let new = if must_ring { marked(newest) } else { newest.as_ptr() };
            // Release pairs with the Acquire of `take`: the taker sees the nodes as the pusher left them.
            match self.head.compare_exchange_weak(head, new, Ordering::Release, Ordering::Relaxed) {
                Ok(_) if must_ring => return Pushed::MustNotify,
                Ok(_) => return Pushed::Seen,
                Err(now) => head = now,
            }
        }
    }

    /// Says that the ring which a push of `newest` has asked for was made.
    pub fn notified(&self, newest: NonNull<T>) {
        // If it fails, it was taken, or somebody has pushed another, and rings for that. Release: the taker still sees the nodes.
        let _ = self.head.compare_exchange(marked(newest), newest.as_ptr(), Ordering::Release, Ordering::Relaxed);
    }

    /// Takes everything queued, and gives the oldest node, from which the links lead to the newest and end in null.
    /// From here on the inbox is busy, until [`Inbox::all_reached`].
    pub fn take(&self) -> Option<NonNull<T>> {
        let head = self.head.load(Ordering::Relaxed);
        if is(head, IDLE) || is(head, BUSY) {
            return None;
        }
        // Acquire pairs with the Release of `push`.
        let newest = self.head.swap(marker(BUSY), Ordering::Acquire);
        // SAFETY: pushed nodes are valid until taken, and are now this thread's alone.
        unsafe { oldest_first(newest) }
    }

    /// The taker says that all it has taken has reached the kernel. False if more has come meanwhile.
    pub fn all_reached(&self) -> bool {
        let head = self.head.load(Ordering::Relaxed);
        if is(head, IDLE) {
            return true;
        }
        // Release pairs with the Acquire of `is_settled`: whoever sees it knows that the kernel has the files.
        is(head, BUSY) && self.head.compare_exchange(head, marker(IDLE), Ordering::Release, Ordering::Relaxed).is_ok()
    }

    /// The taker is about to sleep. False if something has come, and it must not.
    pub fn fall_asleep(&self) -> bool {
        self.head.compare_exchange(marker(IDLE), marker(ASLEEP), Ordering::Release, Ordering::Relaxed).is_ok()
    }

    /// The taker is awake again.
    pub fn wake_up(&self) {
        // If it fails, someone has pushed; the push replaced the mark.
        let _ = self.head.compare_exchange(marker(ASLEEP), marker(IDLE), Ordering::Release, Ordering::Relaxed);
    }

    /// Whether everything pushed before this call has reached the kernel.
    pub fn is_settled(&self) -> bool {
        // Acquire pairs with the Release of `all_reached` and the marks that follow it.
        let head = self.head.load(Ordering::Acquire);
        is(head, IDLE) || is(head, ASLEEP)
    }

    /// Whether something was pushed that nobody has notified of yet.
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
    head.addr() > ASLEEP && head.addr() & UNNOTIFIED != 0
}

fn marked<T>(node: NonNull<T>) -> *mut T {
    node.as_ptr().map_addr(|address| address | UNNOTIFIED)
}

fn real<T>(head: *mut T) -> Option<NonNull<T>> {
    if head.addr() > ASLEEP { NonNull::new(head.map_addr(|address| address & !UNNOTIFIED)) } else { None }
}
