//! uringaio: POSIX AIO and libaio on io_uring, for programs that need not change.
//!
//! | floor | what it does |
//! |---|---|
//! | `fuzz` | what is fed with random bytes, in tests |
//! | `exit`, `public_api` | the end of the process; questions about the library |
//! | `posix`, `libaio` | the two faces: `aio_*` and `lio_listio`; `io_*` |
//! | `interpose` | `close` and other functions that the library has to see |
//! | `submission` | decides where a request goes |
//! | `engine` | io_uring, and worker threads |
//! | `stats` | counters |
//! | `c_boundary` | how C functions return results |
//! | `host`, `symbol_versions` | system calls, threads, memory; versions of exported symbols |
//!
//! Imports point down this table, and never in a circle: tests/imports.rs checks it.

#![cfg_attr(feature = "libaio-abi", allow(dead_code, reason = "the drop-in has the libaio face alone"))]
#![cfg_attr(miri, allow(dead_code, reason = "nothing is exported there"))]

mod c_boundary;
mod engine;
#[cfg(any(test, fuzzing))]
mod fuzz;
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

/// Runs when the library is loaded. It reads the environment and looks up functions of the C library, nothing
/// more: a program that never does asynchronous I/O gets no thread, no descriptor and no memory from the library.
#[cfg(not(miri))]
#[ctor::ctor]
unsafe fn loaded() {
    host::settings::get();
    host::scheduling::record();
    host::thread::look_up();
    interpose::register_exit();
    #[cfg(not(feature = "libaio-abi"))]
    interpose::look_up();
    libaio::look_up();
    #[cfg(not(feature = "libaio-abi"))]
    posix::completed::note_if_linked();
}
