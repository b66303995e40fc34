//! What is to be done when a thread ends in the midst of something: by cancellation or by `pthread_exit` in a callback.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

/// A pointer per thread that is handed to a function when the thread ends with it: a key of `pthread_key_create`, made at
/// its first use. A program uses few of the 1024 keys; where none is left, nothing is handed over.
pub struct ThreadExitHook {
    end: unsafe extern "C" fn(*mut c_void),
    /// The key and one, or 0.
    key: AtomicU32,
}

impl ThreadExitHook {
    /// `end` is called with what a thread holds at its end.
    pub const fn new(end: unsafe extern "C" fn(*mut c_void)) -> Self {
        Self { end, key: AtomicU32::new(0) }
    }

    fn key(&self) -> Option<libc::pthread_key_t> {
        // Relaxed: a key is a number, and the C library keeps what belongs to it.
        let known = self.key.load(Ordering::Relaxed);
        if known != 0 {
            return Some(known - 1);
        }
        let mut fresh = 0;
        // SAFETY: writes the key.
        if unsafe { libc::pthread_key_create(&raw mut fresh, Some(self.end)) } != 0 {
            return None;
        }
        match self.key.compare_exchange(0, fresh + 1, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Some(fresh),
            Err(earlier) => {
                // SAFETY: made above, and used by nobody.
                unsafe { libc::pthread_key_delete(fresh) };
                Some(earlier - 1)
            }
        }
    }

    /// From here on the calling thread holds `value`. False: it could not be noted.
    pub fn set(&self, value: *mut c_void) -> bool {
        self.key().is_some_and(|key| Self::set_value(key, value))
    }

    fn set_value(key: libc::pthread_key_t, value: *mut c_void) -> bool {
        // SAFETY: the key is valid, and keys are never deleted once used; the value is kept, not looked at.
        unsafe { libc::pthread_setspecific(key, value) == 0 }
    }

    /// The calling thread holds nothing any more.
    pub fn clear(&self) {
        self.set(ptr::null_mut());
    }
}
