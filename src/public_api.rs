//! Functions by which programs that link the library ask it about itself. `include/uringaio.h` is made from this file.

use core::ffi::{c_char, c_int};

use crate::engine;
use crate::stats::{self, layout::uringaio_counters};

/// The system's own AIO serves, or no AIO call has been made yet; see `uringaio_engine`.
pub const URINGAIO_SYSTEM: c_int = 0;
/// io_uring serves.
pub const URINGAIO_IO_URING: c_int = 1;
/// Threads of the library's own serve.
pub const URINGAIO_THREADS: c_int = 2;

/// The library's version, as `"0.1.0"`. The string is static.
///
/// Thread-safe and async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn uringaio_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Whether uringaio serves this process (1), or the system's own AIO does (0).
///
/// Starts the engine if no AIO call has done so yet. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn uringaio_serves() -> c_int {
    engine::get().is_ok_and(|engines| engines.is_some()).into()
}

/// What serves this process: `URINGAIO_SYSTEM`, `URINGAIO_IO_URING` or `URINGAIO_THREADS`.
///
/// Starts nothing: before the first AIO call of the process the answer is `URINGAIO_SYSTEM`. Thread-safe and async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn uringaio_engine() -> c_int {
    stats::serves()
}

/// Copies the counters of this process, as they are now, to `counters`, and returns the size of what the library has.
///
/// `size` is `sizeof *counters`: a program that was built against another version of the library gets the part that both
/// know, and zeros behind it. Counters only grow. Other threads count meanwhile, so numbers that belong together may differ by
/// what is just happening. Thread-safe and async-signal-safe.
///
/// # Safety
/// `counters` points to `size` bytes, or `size` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uringaio_read_counters(counters: *mut uringaio_counters, size: usize) -> usize {
    let known = size_of::<uringaio_counters>();
    let now = stats::read();
    let common = size.min(known);
    if common > 0 {
        // SAFETY: the caller's promise; `now` is as large as `known`.
        unsafe {
            core::ptr::copy_nonoverlapping((&raw const now).cast::<u8>(), counters.cast::<u8>(), common);
            core::ptr::write_bytes(counters.cast::<u8>().add(common), 0, size - common);
        }
    }
    known
}
