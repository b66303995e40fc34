//! The libaio face: `io_*`, and the same as raw system calls.

use core::ffi::c_int;
extern "C" fn io_destroy(_: usize) -> c_int {
    -libc::ENOSYS
}
extern "C" fn io_cancel_0_1(_: usize) -> c_int {
    -libc::ENOSYS
}
crate::export::default_version!("io_destroy", "LIBAIO_0.4", io_destroy);
crate::export::old_version!("io_cancel", "LIBAIO_0.1", io_cancel_0_1);
