//! uringaio: POSIX AIO and libaio on io_uring, for programs that need not change.
//!
//! Two faces over one engine: `posix` is `aio_*` and `lio_listio`, `libaio` is `io_*`; `engine` is the io_uring and
//! its thread; `stats` counts what they do; `host` is what the process and its kernel lend us. Imports point down that list.

#[cfg(not(feature = "libaio-abi"))]
pub mod about;
pub mod engine;
mod exit;
mod export;
pub mod host;
pub mod interpose;
pub mod libaio;
#[cfg(not(feature = "libaio-abi"))]
pub mod posix;
pub mod stats;

/// Runs when the library is loaded. Reads the environment and looks up what is interposed, nothing more: a program that
/// never does asynchronous I/O notices no thread, no descriptor and no memory of ours.
#[ctor::ctor]
unsafe fn loaded() {
    host::settings::get();
    #[cfg(not(feature = "libaio-abi"))]
    interpose::look_up();
}
