//! What the library tells of itself to programs that link it: `include/uringaio.h` is made from this file.

use core::ffi::{c_char, c_int};

use crate::engine;

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
    engine::get().is_some().into()
}
