//! Taking completions off a queue that the kernel fills. Any number of threads take, and signal handlers that have
//! interrupted one; each completion goes to one of them.

#[cfg(not(loom))]
use core::sync::atomic::{AtomicU32, Ordering};
#[cfg(loom)]
use loom::sync::atomic::{AtomicU32, Ordering};

/// Takes the next completion, which `read` reads at its place. The kernel writes there again only when the head has
/// passed it, so what was read counts only once the head has been moved.
#[inline]
pub fn cq_pop<T>(head: &AtomicU32, tail: &AtomicU32, read: impl Fn(u32) -> T) -> Option<T> {
    let mut at = head.load(Ordering::Acquire);
    // Acquire pairs with the kernel's Release: the completion is whole.
    while at != tail.load(Ordering::Acquire) {
        let taken = read(at);
        // Release pairs with the kernel's Acquire: it has been read.
        match head.compare_exchange(at, at.wrapping_add(1), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Some(taken),
            Err(now) => at = now,
        }
    }
    None
}
