//! Cleaning up where a thread ends inside a call: by cancellation, or by `pthread_exit` in a notification function.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// As many keys as a process can have (`PTHREAD_KEYS_MAX` of the C library).
const MAX_KEYS: libc::pthread_key_t = 1024;

/// The library's own keys, a bit each.
static OWN_KEYS: [AtomicU64; MAX_KEYS as usize / 64] = [const { AtomicU64::new(0) }; MAX_KEYS as usize / 64];

/// Whether the program has left something in the calling thread that the thread's end would tell it of: data of its own keys.
pub fn has_data_of_program() -> bool {
    (0..MAX_KEYS).any(|key| {
        // Relaxed: the thread's own values were set after the key's bit.
        let is_own = OWN_KEYS[key as usize / 64].load(Ordering::Relaxed) >> (key % 64) & 1 == 1;
        // SAFETY: the C library has nothing for a number that is no key.
        !is_own && unsafe { !libc::pthread_getspecific(key).is_null() }
    })
}

/// A pointer per thread that a function gets when the thread ends: a key of `pthread_key_create`, made at its first
/// use. A program uses few of the 1024 keys; where none is left, the function is not called.
pub struct ThreadExitHook {
    end: unsafe extern "C" fn(*mut c_void),
    /// The key and one, or 0.
    key: AtomicU32,
}

impl ThreadExitHook {
    /// `end` is called with the value that a thread has at its end.
    pub const fn new(end: unsafe extern "C" fn(*mut c_void)) -> Self {
        Self { end, key: AtomicU32::new(0) }
    }

    fn key(&self) -> Option<libc::pthread_key_t> {
        // Relaxed: the key is a number, and what belongs to it is the C library's.
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
            Ok(_) => {
                if let Some(word) = OWN_KEYS.get(fresh as usize / 64) {
                    word.fetch_or(1 << (fresh % 64), Ordering::Relaxed);
                }
                Some(fresh)
            }
            Err(earlier) => {
                // SAFETY: made above, and never used.
                unsafe { libc::pthread_key_delete(fresh) };
                Some(earlier - 1)
            }
        }
    }

    /// Sets the calling thread's value. False: it could not be kept.
    pub fn set(&self, value: *mut c_void) -> bool {
        self.key().is_some_and(|key| Self::set_value(key, value))
    }

    fn set_value(key: libc::pthread_key_t, value: *mut c_void) -> bool {
        // SAFETY: the key is valid, for keys in use are never deleted; the C library keeps the value and does not read
        // it.
        unsafe { libc::pthread_setspecific(key, value) == 0 }
    }

    /// Clears the calling thread's value.
    pub fn clear(&self) {
        self.set(ptr::null_mut());
    }
}
