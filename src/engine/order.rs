//! What must not overtake what, file by file: streams and appends one after another, `aio_fsync` behind what came
//! before.
//!
//! io_uring gives no order between its entries, its drain flag stalls every file for one, and its links break at a
//! short transfer. So the order is kept here: an operation that must wait is held back, and is released by the
//! completion it waited for.
//!
//! A barrier divides the counted operations of its file into generations. It is released when its own generation and
//! all earlier ones have ended; what is submitted after it counts in a later one and is not waited for.

use core::ffi::c_int;
use core::hash::{BuildHasherDefault, Hasher};
use core::ptr::NonNull;
use std::collections::{HashMap, VecDeque};

use super::operation::{Operation, Order, Stage};
use super::queue::Queue;

/// One lane of a stream: at most one operation under way, the others behind it.
struct Lane {
    under_way: Option<NonNull<Operation>>,
    waiting: Queue,
}

impl Lane {
    const fn new() -> Self {
        Self { under_way: None, waiting: Queue::new() }
    }

    fn accept(&mut self, operation: NonNull<Operation>) -> bool {
        if self.under_way.is_some() {
            self.waiting.push(operation);
            return false;
        }
        self.under_way = Some(operation);
        true
    }

    /// What is under way is done, if that is this operation.
    fn finished(&mut self, operation: &Operation, released: &mut Queue) {
        if self.under_way != Some(NonNull::from(operation)) {
            return;
        }
        self.under_way = self.waiting.pop();
        if let Some(next) = self.under_way {
            released.push(next);
        }
    }

    /// Whether there is an operation on this descriptor.
    fn has(&self, fd: c_int) -> bool {
        // SAFETY: reactor-owned.
        let is_on_it = |operation: NonNull<Operation>| unsafe { operation.as_ref() }.fd == fd;
        self.under_way.is_some_and(is_on_it) || self.waiting.any(is_on_it)
    }

    const fn is_idle(&self) -> bool {
        self.under_way.is_none()
    }
}

/// One direction of a stream. A request on a descriptor with `O_NONBLOCK` never waits for one that may wait for ever, on another
/// descriptor of the same stream. On one descriptor they keep their order: it was given `O_NONBLOCK` in between, or it lost it.
struct Direction {
    blocking: Lane,
    nonblocking: Lane,
}

impl Direction {
    const fn new() -> Self {
        Self { blocking: Lane::new(), nonblocking: Lane::new() }
    }

    fn accept(&mut self, operation: NonNull<Operation>) -> bool {
        // SAFETY: reactor-owned.
        let this = unsafe { operation.as_ref() };
        let (own, other) = if this.nonblocking {
            (&mut self.nonblocking, &mut self.blocking)
        } else {
            (&mut self.blocking, &mut self.nonblocking)
        };
        let lane = if other.has(this.fd) { other } else { own };
        lane.accept(operation)
    }

    fn finished(&mut self, operation: &Operation, released: &mut Queue) {
        self.blocking.finished(operation, released);
        self.nonblocking.finished(operation, released);
    }

    fn remove(&mut self, operation: NonNull<Operation>) -> bool {
        self.blocking.waiting.remove(operation) || self.nonblocking.waiting.remove(operation)
    }

    const fn is_idle(&self) -> bool {
        self.blocking.is_idle() && self.nonblocking.is_idle()
    }
}

/// Counted operations between two barriers.
struct Generation {
    outstanding: usize,
    /// The barrier that ends it; none if it was cancelled.
    barrier: Option<NonNull<Operation>>,
}

struct File {
    reading: Direction,
    writing: Direction,
    /// Generations that a barrier has closed, oldest first.
    closed: VecDeque<Generation>,
    /// The number of the oldest generation in `closed`, or of the open one.
    oldest: u32,
    /// Outstanding operations of the open generation.
    open: usize,
}

impl File {
    const fn new() -> Self {
        Self { reading: Direction::new(), writing: Direction::new(), closed: VecDeque::new(), oldest: 0, open: 0 }
    }

    fn count(&mut self) -> u32 {
        self.open += 1;
        self.oldest.wrapping_add(self.closed.len() as u32)
    }

    fn uncount(&mut self, generation: u32, released: &mut Queue) {
        let index = generation.wrapping_sub(self.oldest) as usize;
        match self.closed.get_mut(index) {
            Some(closed) => closed.outstanding -= 1,
            None => self.open -= 1,
        }
        self.release_barriers(released);
    }

    fn release_barriers(&mut self, released: &mut Queue) {
        while self.closed.front().is_some_and(|oldest| oldest.outstanding == 0) {
            if let Some(Generation { barrier: Some(barrier), .. }) = self.closed.pop_front() {
                released.push(barrier);
            }
            self.oldest = self.oldest.wrapping_add(1);
        }
    }

    fn accept_barrier(&mut self, barrier: NonNull<Operation>) -> bool {
        if self.open == 0 && self.closed.is_empty() {
            return true;
        }
        self.closed.push_back(Generation { outstanding: self.open, barrier: Some(barrier) });
        self.open = 0;
        false
    }

    fn is_idle(&self) -> bool {
        self.open == 0 && self.closed.is_empty() && self.reading.is_idle() && self.writing.is_idle()
    }
}

/// Identities are already well spread.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }
    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

/// The order of every file that has operations outstanding.
#[derive(Default)]
pub struct Orders {
    files: HashMap<u64, File, BuildHasherDefault<Spread>>,
}

impl Orders {
    /// Takes note of an operation. True: it may go now; false: it is held and comes out of [`Orders::finished`] or
    /// [`Orders::remove`].
    pub fn accept(&mut self, mut operation: NonNull<Operation>) -> bool {
        // SAFETY: reactor-owned.
        let this = unsafe { operation.as_mut() };
        if this.order == Order::Free {
            return true;
        }
        let file = self.files.entry(this.file).or_insert_with(File::new);
        match this.order {
            Order::Free => true,
            Order::Counted => {
                this.generation = file.count();
                true
            }
            Order::Reading => file.reading.accept(operation),
            Order::Writing => {
                this.generation = file.count();
                file.writing.accept(operation)
            }
            Order::Barrier | Order::BarrierEverywhere => {
                let goes = file.accept_barrier(operation);
                if file.is_idle() {
                    self.files.remove(&this.file);
                }
                goes
            }
        }
    }

    /// An operation that had been let go is done; what it held back is put into `released`. One that has no place any more is
    /// passed over. (What it asks for stays as it is: its face goes by that at its end.)
    pub fn finished(&mut self, operation: &Operation, released: &mut Queue) {
        if operation.stage == Stage::Ending
            || matches!(operation.order, Order::Free | Order::Barrier | Order::BarrierEverywhere)
        {
            return;
        }
        let Some(file) = self.files.get_mut(&operation.file) else { return };
        match operation.order {
            Order::Free | Order::Barrier | Order::BarrierEverywhere => {}
            Order::Counted => file.uncount(operation.generation, released),
            Order::Reading => file.reading.finished(operation, released),
            Order::Writing => {
                file.writing.finished(operation, released);
                file.uncount(operation.generation, released);
            }
        }
        if file.is_idle() {
            self.files.remove(&operation.file);
        }
    }

    /// Takes back an operation that is being held. False if it is not.
    pub fn remove(&mut self, operation: NonNull<Operation>, released: &mut Queue) -> bool {
        // SAFETY: reactor-owned.
        let this = unsafe { operation.as_ref() };
        let Some(file) = self.files.get_mut(&this.file) else { return false };
        let removed = match this.order {
            Order::Free | Order::Counted => false,
            Order::Reading => file.reading.remove(operation),
            Order::Writing => {
                let removed = file.writing.remove(operation);
                if removed {
                    file.uncount(this.generation, released);
                }
                removed
            }
            Order::Barrier | Order::BarrierEverywhere => {
                let held = file.closed.iter_mut().find(|closed| closed.barrier == Some(operation));
                held.map(|closed| closed.barrier = None).is_some()
            }
        };
        if file.is_idle() {
            self.files.remove(&this.file);
        }
        removed
    }
}
