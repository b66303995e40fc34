//! A thread that waits for other threads' operations lends them its ring: while it has nothing to wait for, it looks for a
//! moment whether one comes, and submits it. Nobody has to be woken then.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use super::TABLE;
use super::ring::Ring;
use crate::engine::operation::Operation;
use crate::host::futex::{self, Deadline};
use crate::host::kernel;
use crate::host::thread;

/// Looks at the desk between two at the clock.
const LOOKS: u32 = 32;

/// How long whoever lays an operation down waits until it is taken, in nanoseconds: a running thread needs a tenth of it.
const REACH: u64 = 5_000;

/// How often a [`settle`] looks, 50 µs apart, before it takes it that the thread has left its call by a `longjmp`.
const PATIENCE: u32 = 20_000;

/// Desks that are open, or with something in hand.
static AT_DESK: AtomicU32 = AtomicU32::new(0);

impl Ring {
    /// Looks until a time, or until there is something else to do, whether another thread hands over an operation. The caller
    /// is the ring's thread; it [submits](Ring::lent) what it gets.
    pub fn lend(&self, until: Deadline, is_over: impl Fn() -> bool) -> Option<NonNull<Operation>> {
        // Before the desk is open: who has laid something down there sees the count.
        AT_DESK.fetch_add(1, Ordering::Relaxed);
        if !self.desk.open() {
            AT_DESK.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let taken = loop {
            if let Some(operation) = (0..LOOKS).find_map(|_| {
                core::hint::spin_loop();
                self.desk.take()
            }) {
                break Some(operation);
            }
            if is_over() || until.left() == Some(0) {
                break self.desk.close();
            }
        };
        if taken.is_none() {
            AT_DESK.fetch_sub(1, Ordering::Relaxed);
        }
        taken
    }

    /// What [`Ring::lend`] gave is submitted.
    pub fn lent(&self) {
        self.desk.put_away();
        AT_DESK.fetch_sub(1, Ordering::Release);
    }

    /// Hands an operation to the ring's thread, if it looks for one just now. False: it does not. Any thread may.
    pub fn hand(&self, operation: NonNull<Operation>) -> bool {
        if !self.desk.lay(operation) {
            return false;
        }
        let end = kernel::now() + REACH;
        while self.desk.has(operation) {
            if kernel::now() >= end {
                return !self.desk.take_back(operation);
            }
            core::hint::spin_loop();
        }
        true
    }
}

/// Returns when the kernel has what was handed over before. One load where nobody looks for work. Async-signal-safe.
pub fn settle() {
    // Whoever has handed something over has seen the count, and so has whoever knows from him that he did. Acquire pairs with
    // the Release of `lent`: the kernel has it.
    if AT_DESK.load(Ordering::Acquire) == 0 {
        return;
    }
    let Some(table) = TABLE.get().filter(|table| table.is_ours()) else { return };
    let me = thread::pointer();
    // A handler that has interrupted its own thread here cannot wait for it.
    for ring in table.rings.iter().filter(|ring| !ring.belongs_to(me)) {
        let mut looks = 0;
        while !ring.desk.is_clear() && looks < PATIENCE {
            if looks < 100 {
                core::hint::spin_loop();
            } else {
                futex::linger();
            }
            looks += 1;
        }
        if looks == PATIENCE {
            ring.desk.give_up();
        }
    }
}
