//! The exported functions that glibc lacks, under a symbol version of the library's own. `src/public_api.rs` documents them
//! for programs; include/uringaio.h is made from it.

use core::ffi::c_int;

use super::abi::transfer;
use crate::c_boundary::value_or_errno;
use crate::engine::Kind;
use crate::host::kernel::Errno;

/// The C library's own AIO serves, which has no such function.
fn unknown_to_glibc(_: *mut libc::aiocb) -> c_int {
    value_or_errno(Err(Errno(libc::ENOSYS)))
}

/// `aio_readv` of FreeBSD.
///
/// # Safety
/// As for `aio_read`; the iovec array is valid until the call returns, the buffers until the request has ended.
pub unsafe extern "C" fn aio_readv(aiocbp: *mut libc::aiocb) -> c_int {
    transfer(aiocbp, Kind::ReadVector, unknown_to_glibc)
}

/// `aio_writev` of FreeBSD.
///
/// # Safety
/// As for [`aio_readv`].
pub unsafe extern "C" fn aio_writev(aiocbp: *mut libc::aiocb) -> c_int {
    transfer(aiocbp, Kind::WriteVector, unknown_to_glibc)
}

crate::symbol_versions::default_version!("aio_readv", "URINGAIO_0.1", aio_readv);
crate::symbol_versions::default_version!("aio_writev", "URINGAIO_0.1", aio_writev);
