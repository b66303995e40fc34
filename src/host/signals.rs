//! What the program has arranged for its signals.

use core::ffi::c_int;
use core::ptr;

use super::kernel::{Errno, syscall};
use super::thread::SignalSet;

/// The kernel's `struct sigaction`.
#[repr(C)]
pub struct Action {
    /// The handler, `SIG_DFL` (0) or `SIG_IGN` (1).
    pub handler: usize,
    /// `SA_*`.
    pub flags: u64,
    /// The way back from a handler. (aarch64 has the field too, for 32-bit programs, and finds the way by itself.)
    pub restorer: usize,
    /// What is blocked meanwhile.
    pub mask: u64,
}

impl Action {
    /// What is done at a signal. Async-signal-safe, as all here is.
    ///
    /// # Errors
    /// `EINVAL`: there is no such signal.
    pub fn of(signal: c_int) -> Result<Self, Errno> {
        // SAFETY: zeros are a valid action: the default one.
        let mut action: Self = unsafe { core::mem::zeroed() };
        let (none, to) = (ptr::null::<Self>(), &raw mut action);
        // SAFETY: writes one action.
        unsafe { syscall!(libc::SYS_rt_sigaction, signal, none, to, size_of::<u64>()) }?;
        Ok(action)
    }

    /// Has this done at a signal.
    ///
    /// # Errors
    /// `EINVAL`: that cannot be.
    ///
    /// # Safety
    /// The handler is one.
    pub unsafe fn install(&self, signal: c_int) -> Result<(), Errno> {
        let (from, none) = (ptr::from_ref(self), ptr::null_mut::<Self>());
        // SAFETY: reads one action; the caller's promise.
        unsafe { syscall!(libc::SYS_rt_sigaction, signal, from, none, size_of::<u64>()) }.map(drop)
    }

    /// Whether it is a function of somebody's.
    #[must_use]
    pub const fn is_handled(&self) -> bool {
        self.handler > 1
    }
}

/// Whether there is a handler for any of these.
#[must_use]
pub fn any_handled(set: SignalSet) -> bool {
    (1..=64).any(|signal| set >> (signal - 1) & 1 == 1 && Action::of(signal).is_ok_and(|action| action.is_handled()))
}

/// Whether every handler of the program's was set with `SA_RESTART`. (Which of them has just run is not to be known.)
#[must_use]
pub fn all_restart() -> bool {
    (1..=64).all(|signal| {
        Action::of(signal).map_or(true, |action| !action.is_handled() || action.flags as c_int & libc::SA_RESTART != 0)
    })
}
