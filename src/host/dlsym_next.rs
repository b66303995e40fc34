//! The next implementation of an interposed function, looked up once.

use core::ffi::{CStr, c_void};
use core::sync::atomic::{AtomicPtr, Ordering};

use super::signal_mask;

/// Where to look. The drop-in exports none of these names: it redirects references to itself, and the original is what
/// the program would find first, in the C library or in another library that interposes (such as `liburingaio.so`
/// beside it).
const BEHIND_OURS: *mut c_void = if cfg!(feature = "libaio-abi") { libc::RTLD_DEFAULT } else { libc::RTLD_NEXT };

/// A function of the system, found at its first use.
pub struct Next {
    name: &'static CStr,
    version: Option<&'static CStr>,
    found: AtomicPtr<c_void>,
}

impl Next {
    /// The function `name`, in its default version.
    #[must_use]
    pub const fn new(name: &'static CStr) -> Self {
        Self { name, version: None, found: AtomicPtr::new(core::ptr::null_mut()) }
    }

    /// The function `name` as it was in `version`; where the system has no such version, the default one.
    #[must_use]
    pub const fn versioned(name: &'static CStr, version: &'static CStr) -> Self {
        Self { name, version: Some(version), found: AtomicPtr::new(core::ptr::null_mut()) }
    }

    /// Its address; none where no other library of the program has it.
    #[must_use]
    pub fn get(&self) -> Option<*mut c_void> {
        // Relaxed: the code at the address was there before; nothing else is published with it.
        let mut found = self.found.load(Ordering::Relaxed);
        if found.is_null() {
            // The dynamic linker has a lock meanwhile, which the end of the process takes as well.
            let blocked = signal_mask::block_all_departures();
            // SAFETY: looks up C strings; any thread may, any number of times.
            found = unsafe {
                let versioned = self.version.map_or(core::ptr::null_mut(), |version| {
                    libc::dlvsym(BEHIND_OURS, self.name.as_ptr(), version.as_ptr())
                });
                if versioned.is_null() { libc::dlsym(BEHIND_OURS, self.name.as_ptr()) } else { versioned }
            };
            self.found.store(found, Ordering::Relaxed);
            signal_mask::restore_signals(blocked);
        }
        (!found.is_null()).then_some(found)
    }

    /// Its address, if it has been looked up: the dynamic linker is not asked.
    #[must_use]
    pub fn known(&self) -> Option<*mut c_void> {
        let found = self.found.load(Ordering::Relaxed);
        (!found.is_null()).then_some(found)
    }
}
