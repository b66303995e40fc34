//! Which signals the calling thread blocks. All is async-signal-safe.

use core::ffi::c_int;
use core::ptr;

use super::kernel::{Errno, syscall};

/// The kernel's signal set: 64 bits.
pub type SignalSet = u64;

/// The C library's own signals, 32 and 33. They run its handlers, not the program's, and `setuid` and the like wait
/// until every thread has handled them.
pub const INTERNAL: SignalSet = 1 << 31 | SETXID;
const SETXID: SignalSet = 1 << 32;

/// Blocks every signal of the program in the calling thread. The result is the mask as it was.
#[must_use]
pub fn block_all_signals() -> SignalSet {
    block(!INTERNAL)
}

/// The same, and the signal by which the C library cancels a thread: until [`restore_signals`] neither a jump out of a
/// handler nor a cancellation leaves what the thread does. For a few instructions.
#[must_use]
pub fn block_all_departures() -> SignalSet {
    block(!SETXID)
}

/// Every signal, the C library's own among them. For a few instructions.
#[must_use]
pub fn block_everything() -> SignalSet {
    block(!0)
}

fn block(all: SignalSet) -> SignalSet {
    exchange(Some(all)).unwrap_or(0)
}

/// The calling thread's mask, which is then set to `new`, if that is given.
fn exchange(new: Option<SignalSet>) -> Result<SignalSet, Errno> {
    let mut before: SignalSet = 0;
    let new = new.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: reads one set, if there is one, and writes another, each of the size given.
    unsafe { syscall!(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, new, &raw mut before, size_of::<SignalSet>()) }
        .map(|_| before)
}

/// The signals that are pending for the calling thread because they are blocked.
#[must_use]
pub fn pending_signals() -> SignalSet {
    let mut set: SignalSet = 0;
    // SAFETY: writes a set of the size given.
    let _ = unsafe { syscall!(libc::SYS_rt_sigpending, &raw mut set, size_of::<SignalSet>()) };
    set
}

/// Whether the calling thread blocks a signal.
#[must_use]
pub fn blocks(signal: c_int) -> bool {
    exchange(None).is_ok_and(|blocked| blocked >> (signal - 1) & 1 == 1)
}

/// Restores the mask that [`block_all_signals`] or [`block_all_departures`] returned.
pub fn restore_signals(before: SignalSet) {
    let _ = exchange(Some(before));
}
