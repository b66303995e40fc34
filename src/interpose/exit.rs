//! The end of the process, by `exit`, `quick_exit` or `_exit`: requests that were submitted reach the kernel, as they would have
//! done in `io_submit` and `aio_write` themselves; writes of libaio are done, and requests that are with io_uring end, so that no
//! file of the process is held once its parent has waited for it; and `URINGAIO_STATS=1` has a summary written.

use core::ffi::{c_int, c_void};
use core::ptr;

use crate::engine;
use crate::host::descriptors;
use crate::stats;

/// Run by `exit`, after the program's own handlers.
extern "C" fn at_exit() {
    end();
}

/// A write that no engine has begun would never be done. (The kernel's AIO waits at exit for its requests, too.)
fn end() {
    descriptors::settle();
    engine::await_last();
    stats::summarize();
}

#[used]
#[unsafe(link_section = ".fini_array")]
static AT_EXIT: extern "C" fn() = at_exit;

unsafe extern "C" {
    /// What `at_quick_exit(3)` calls, which is linked statically. Not among the libc crate's.
    fn __cxa_at_quick_exit(handler: extern "C" fn(*mut c_void), object: *mut c_void) -> c_int;
}

extern "C" fn at_quick_exit(_: *mut c_void) {
    end();
}

/// Has `quick_exit(3)` do the same, after the program's own handlers, which are registered later: for the load-time hook.
pub fn register() {
    // SAFETY: the library is never unloaded.
    unsafe { __cxa_at_quick_exit(at_quick_exit, ptr::null_mut()) };
}

#[cfg(feature = "libaio-abi")]
pub use without_handlers::{_Exit, _exit};

mod without_handlers {
    //! `_exit(2)` runs no handlers. Forked children often end so (each of fio's jobs), so the same is done here. A child of
    //! `vfork` shares the counters with its parent but is another process, and writes nothing.

    use core::ffi::c_int;

    use crate::host::kernel;

    /// `_exit(2)`. Async-signal-safe.
    #[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
    pub extern "C" fn _exit(status: c_int) -> ! {
        leave(status)
    }

    /// `_Exit(3)`, the same. Async-signal-safe.
    #[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
    #[allow(non_snake_case, reason = "the C library's name")]
    pub extern "C" fn _Exit(status: c_int) -> ! {
        leave(status)
    }

    fn leave(status: c_int) -> ! {
        super::end();
        loop {
            // SAFETY: ends the process, as the C library's own does.
            let _ = unsafe { kernel::call6(libc::SYS_exit_group, status as usize, 0, 0, 0, 0, 0) };
        }
    }
}
