//! The end of the process, by `exit` or `_exit`: requests that were submitted reach the kernel, as they would have done in
//! `io_submit` and `aio_write` themselves; requests that are with io_uring end, so that no file of the process is held once
//! its parent has waited for it; and `URINGAIO_STATS=1` has a summary written.

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
    engine::await_uring_idle();
    stats::summarize();
}

#[used]
#[unsafe(link_section = ".fini_array")]
static AT_EXIT: extern "C" fn() = at_exit;

#[cfg(not(feature = "libaio-abi"))]
mod without_handlers {
    //! `_exit(2)` runs no handlers. Forked children often end so (each of fio's jobs), so the same is done here. A child of
    //! `vfork` shares the counters with its parent but is another process, and writes nothing.

    use core::ffi::c_int;

    use crate::host::kernel;

    /// `_exit(2)`. Async-signal-safe.
    #[unsafe(no_mangle)]
    pub extern "C" fn _exit(status: c_int) -> ! {
        leave(status)
    }

    /// `_Exit(3)`, the same. Async-signal-safe.
    #[unsafe(no_mangle)]
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
