//! The functions of the C library that change what a descriptor number means, what a thread may do, or what can make a
//! thread sleep that touches the program's files.
//!
//! Each takes note, or waits until the kernel has the files of all requests submitted before (a request keeps its file,
//! whatever becomes of the number), and calls the original. All are as thread-safe and async-signal-safe as the originals,
//! set `errno` as they do, and are cancellation points where they are.
//!
//! `liburingaio.so` exports them by name. The drop-in exports none of them; there the references of loaded objects are led
//! here ([`crate::libaio`]). Calls by number, `syscall(SYS_close, …)`, come to [`by_number`].

pub mod by_number;
mod close;
mod exit;
mod file_flags;
#[cfg_attr(feature = "libaio-abi", allow(dead_code, reason = "libaio's writes may raise SIGXFSZ, as the kernel's do"))]
mod file_size_limit;
mod hazards;
mod seccomp;
mod unshare;

pub use exit::register as register_exit;

#[cfg(feature = "libaio-abi")]
pub use {
    close::{close, close_range, closefrom, dup2, dup3, fclose},
    exit::{_Exit, _exit},
    file_flags::{fcntl, fcntl64},
    hazards::{fanotify_init, ioctl},
    seccomp::prctl,
    unshare::{capset, setfsgid, setfsuid, setns, unshare},
};

/// Looks up the originals when the library is loaded: a signal handler or a forked child that closes something should not
/// be the first to call the dynamic linker.
pub fn look_up() {
    let originals = [
        close::ORIGINALS,
        file_flags::ORIGINALS,
        file_size_limit::ORIGINALS,
        hazards::ORIGINALS,
        seccomp::ORIGINALS,
        unshare::ORIGINALS,
    ];
    for original in originals.into_iter().flatten() {
        let _ = original.get();
    }
}
