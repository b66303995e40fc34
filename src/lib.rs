//! uringaio: POSIX AIO and libaio on io_uring, for programs that need not change.
//!
//! Two faces over one router over two engines: `posix` is `aio_*` and `lio_listio`, `libaio` is `io_*`; `submission` decides
//! where a request goes; `engine` is the io_uring and the workers; `stats` counts what they do; `host` is system calls, threads, memory. Imports point down that list.

#![cfg_attr(feature = "libaio-abi", allow(dead_code, reason = "the drop-in has the libaio face alone"))]

mod c_boundary;
mod engine;
mod exit;
mod host;
mod interpose;
mod libaio;
#[cfg(not(feature = "libaio-abi"))]
mod posix;
#[cfg(not(feature = "libaio-abi"))]
#[allow(dead_code, reason = "some of it is for the C header, which is made from it")]
mod public_api;
mod stats;
mod submission;
mod symbol_versions;

/// Runs when the library is loaded. Reads the environment and looks up what is interposed, nothing more: a program that
/// never does asynchronous I/O notices no thread, no descriptor and no memory of ours.
#[ctor::ctor]
unsafe fn loaded() {
    host::settings::get();
    host::scheduling::record();
    #[cfg(not(feature = "libaio-abi"))]
    interpose::look_up();
}
