//! How the drop-in gets to see that the program closes a descriptor, changes its flags, or moves memory.
//!
//! `liburingaio.so` exports `close` and its like under their own names, so that the program binds to them. `libaio.so.1`
//! must export what upstream's does and nothing else. There `io_setup` redirects the references of the loaded objects to
//! these functions: the slots of the global offset tables (GOT) that the dynamic linker has filled.

#[cfg(not(feature = "libaio-abi"))]
mod exported {
    /// Nothing is to be done.
    pub const fn install_again() {}

    /// Whether every `close` of the program's passes through the library.
    pub const fn sees_closes() -> bool {
        true
    }
}

#[cfg(not(feature = "libaio-abi"))]
pub use exported::{install_again, sees_closes};

#[cfg(feature = "libaio-abi")]
pub use slots::{install, install_again, sees_closes};

#[cfg(feature = "libaio-abi")]
mod slots {
    use core::ffi::{CStr, c_int, c_void};
    use core::mem::transmute;
    use core::ptr;
    use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};

    use crate::host::kernel::{page_size, syscall};
    use crate::host::references::{self, Objects, Reference};
    use crate::host::thread;

    /// The library's function for a name, if it has one.
    pub type Replacement = fn(&CStr) -> Option<usize>;

    /// A [`Replacement`], once [`install`] has been called.
    static REPLACEMENT: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

    /// How many objects had been loaded at the last look. Relaxed throughout: two threads may redirect the same slots.
    static LOOKED_AT: AtomicU64 = AtomicU64::new(0);

    /// A reference could not be redirected. Relaxed throughout: set by `install`, before the context exists.
    static MISSED: AtomicBool = AtomicBool::new(false);

    /// Whether every `close` of the program's passes through the library.
    pub fn sees_closes() -> bool {
        !MISSED.load(Ordering::Relaxed)
    }

    /// Redirects the references of every loaded object to the library's functions.
    pub fn install(replacement: Replacement) {
        // Release pairs with the Acquire in `replacement`.
        REPLACEMENT.store(replacement as *mut (), Ordering::Release);
        install_again();
    }

    /// Redirects those of objects that were loaded since.
    pub fn install_again() {
        // The dynamic linker has a lock meanwhile, which its other callers wait for.
        let blocked = thread::block_all_departures();
        look_for_new_objects();
        thread::restore_signals(blocked);
    }

    fn look_for_new_objects() {
        let mut loaded = LOOKED_AT.load(Ordering::Relaxed);
        // SAFETY: the callback gets a valid pointer to a number.
        unsafe { libc::dl_iterate_phdr(Some(count), (&raw mut loaded).cast()) };
        if LOOKED_AT.swap(loaded, Ordering::Relaxed) != loaded {
            // The library's own references stay as they are.
            references::visit(Objects::All, &mut |reference| {
                if reference.is_slot
                    && let Some(function) = replacement(reference.name)
                {
                    redirect(reference, function);
                }
            });
        }
    }

    /// Stores how many objects have ever been loaded.
    unsafe extern "C" fn count(object: *mut libc::dl_phdr_info, _: usize, loaded: *mut c_void) -> c_int {
        // SAFETY: the dynamic linker's own structure, and the number of `install_again`.
        unsafe { *loaded.cast::<u64>() = (*object).dlpi_adds };
        1
    }

    fn replacement(name: &CStr) -> Option<usize> {
        // Acquire pairs with the Release in `install`.
        let replacement = REPLACEMENT.load(Ordering::Acquire);
        // SAFETY: only `install` stores here, and it stores a `Replacement`.
        (!replacement.is_null()).then(|| unsafe { transmute::<*mut (), Replacement>(replacement) })?(name)
    }

    fn redirect(reference: &Reference, function: usize) {
        let Reference { place, is_read_only, .. } = *reference;
        let page_bytes = page_size();
        let page = place & !(page_bytes - 1);
        let protect = |protection: c_int| {
            // SAFETY: the page holds a slot, which is data: no thread executes it, and readers go on reading.
            unsafe { syscall!(libc::SYS_mprotect, page, page_bytes, protection) }
        };
        if is_read_only && protect(libc::PROT_READ | libc::PROT_WRITE).is_err() {
            MISSED.store(true, Ordering::Relaxed);
            return;
        }
        // SAFETY: a slot of a loaded object, aligned, writable now. Relaxed: a call through it meanwhile reaches either.
        unsafe { &*(place as *const AtomicUsize) }.store(function, Ordering::Relaxed);
        if is_read_only {
            let _ = protect(libc::PROT_READ);
        }
    }
}
