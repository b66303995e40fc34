//! What is done at exit: what was submitted before reaches the kernel, as it would have done in `io_submit` and `aio_write`
//! themselves; what io_uring is at work on ends, so that no file of the process is held when its parent has waited for it;
//! and `URINGAIO_STATS=1` asks for a summary.

use crate::engine;
use crate::host::descriptors;
use crate::stats;

/// Run by `exit`, after the program's own handlers.
extern "C" fn at_exit() {
    end();
}

/// A write that an engine has not begun would never be done. (The kernel's AIO waits at exit for what it is at work on, too.)
fn end() {
    descriptors::settle();
    engine::await_uring_idle();
    stats::summarize();
}

#[used]
#[unsafe(link_section = ".fini_array")]
static AT_EXIT: extern "C" fn() = at_exit;

#[cfg(not(feature = "libaio-abi"))]
mod leave {
    //! `_exit(2)` runs no handlers, and is how a forked child of many a program ends (each of fio's jobs): the same is done
    //! first. A child of `vfork` shares the counters with its parent, but is another process, and writes nothing.

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
