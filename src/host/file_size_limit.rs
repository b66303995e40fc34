//! Whether a write could pass `RLIMIT_FSIZE`: the kernel then sends `SIGXFSZ` to the thread that writes.
//!
//! Asking the kernel takes a fifth of the time of a small buffered write, so that there is no limit is remembered until the
//! coarse clock moves on (1 to 10 ms), or until the program sets a limit through the C library
//! ([`crate::interpose`]). One that is set out of sight, by another process for example, is seen that much later.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::kernel;

/// How often a limit was set. Forked children have it from their parent, with the limit itself.
static SETS: AtomicU32 = AtomicU32::new(0);

/// Calls that are setting a limit now: until they have said so it is unknown. One that a jump has left, or that a thread was in
/// while another one forked, stays counted, and the kernel is asked each time.
static SETTING: AtomicU32 = AtomicU32::new(0);

/// When no limit was found, as [`stamp`] says it. 0: never.
static UNLIMITED: AtomicU64 = AtomicU64::new(0);

/// Whether a write that ends at `end` could pass the limit.
#[inline]
#[must_use]
pub fn may_be_passed(end: u64) -> bool {
    // Acquire pairs with the Release in `after_set`; looked at before the count.
    let is_being_set = SETTING.load(Ordering::Acquire) != 0;
    let now = stamp();
    // Relaxed: the word says all there is to know.
    (is_being_set || UNLIMITED.load(Ordering::Relaxed) != now) && asked(end, now)
}

/// To be called before the program sets a limit.
pub fn before_set() {
    // SeqCst: before the call that sets it.
    SETTING.fetch_add(1, Ordering::SeqCst);
}

/// To be called after that.
pub fn after_set() {
    // Pairs with `stamp`: who finds the new count asks the kernel after the limit was set.
    SETS.fetch_add(1, Ordering::Release);
    // Release: who finds that no call sets a limit finds the new count.
    SETTING.fetch_sub(1, Ordering::Release);
}

/// How often a limit was set, and the milliseconds of the coarse clock. What was asked before a limit was set, and is told
/// after it, has the old count and is never believed.
fn stamp() -> u64 {
    const NS_PER_MS: u64 = 1_000_000;
    let sets = SETS.load(Ordering::Acquire);
    let ms = kernel::coarse_now() / NS_PER_MS;
    u64::from(sets) << 32 | ms & u64::from(u32::MAX)
}

#[cold]
fn asked(end: u64, now: u64) -> bool {
    match kernel::limit(libc::RLIMIT_FSIZE, None) {
        Ok(limit) if limit.rlim_cur == libc::RLIM_INFINITY => {
            UNLIMITED.store(now, Ordering::Relaxed);
            false
        }
        Ok(limit) => end > limit.rlim_cur,
        Err(_) => true,
    }
}
