//! uringaio: POSIX AIO and libaio on io_uring, for programs that need not change.
//!
//! Two faces over one engine: `posix` is `aio_*` and `lio_listio`, `libaio` is `io_*`; `engine` is the io_uring and
//! its thread; `host` is what the process and its kernel lend us. Imports point down that list.

#[cfg(not(feature = "libaio-abi"))]
pub mod about;
pub mod engine;
mod export;
pub mod host;
pub mod interpose;
pub mod libaio;
#[cfg(not(feature = "libaio-abi"))]
pub mod posix;
