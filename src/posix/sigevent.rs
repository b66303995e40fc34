//! `struct sigevent`: how a program wants to be notified.

use core::ffi::c_int;
use core::mem::offset_of;

use crate::host::kernel::Errno;
use crate::submission::eventfd::Eventfd;

/// `SIGEV_EVENTFD` of uringaio.h: no number of the C library's, which ignores it. `sigev_signo` is the descriptor.
pub const SIGEV_EVENTFD: c_int = 0x6576_6664;

/// The fields of a `struct sigevent` that mean something.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SigEvent {
    /// `sigev_value`.
    pub value: usize,
    /// `sigev_signo`.
    pub signal: c_int,
    /// `sigev_notify`: how to notify.
    pub how: c_int,
    /// `sigev_notify_function`, or `sigev_notify_thread_id` in the first four bytes.
    pub target: usize,
    /// `sigev_notify_attributes`.
    pub attributes: usize,
}

const _: () = {
    assert!(size_of::<libc::sigevent>() == 64);
    assert!(offset_of!(SigEvent, value) == offset_of!(libc::sigevent, sigev_value));
    assert!(offset_of!(SigEvent, signal) == offset_of!(libc::sigevent, sigev_signo));
    assert!(offset_of!(SigEvent, how) == offset_of!(libc::sigevent, sigev_notify));
    assert!(offset_of!(SigEvent, target) == offset_of!(libc::sigevent, sigev_notify_thread_id));
};

impl SigEvent {
    /// No notification.
    pub const NONE: Self = Self { value: 0, signal: 0, how: libc::SIGEV_NONE, target: 0, attributes: 0 };

    /// Reads a `struct sigevent`; a null pointer asks for no notification.
    ///
    /// # Safety
    /// `event` is null or points to a `struct sigevent`.
    pub unsafe fn read(event: *const libc::sigevent) -> Self {
        if event.is_null() {
            return Self::NONE;
        }
        // SAFETY: the caller's promise; the fields are the first of the structure.
        unsafe { event.cast::<Self>().read() }
    }

    /// The eventfd that counts, if that is how to notify.
    ///
    /// # Errors
    /// `EBADF`; `EINVAL`: it is no eventfd.
    #[inline]
    pub fn eventfd(&self) -> Result<Option<Eventfd>, Errno> {
        if self.how == SIGEV_EVENTFD { Eventfd::at(self.signal).map(Some) } else { Ok(None) }
    }

    /// Whether no notification will be sent, other than by an eventfd. Signal 0 is none, and a zeroed structure asks for that.
    pub const fn is_silent(&self) -> bool {
        match self.how {
            libc::SIGEV_SIGNAL | libc::SIGEV_THREAD_ID => self.signal == 0,
            libc::SIGEV_THREAD => self.target == 0,
            _ => true,
        }
    }
}
