//! The exported functions that glibc lacks, under a symbol version of the library's own. `src/public_api.rs` documents them
//! for programs; include/uringaio.h is made from it.

use core::ffi::c_int;
use core::ptr;

use super::abi::{deadline, transfer};
use super::aiocb::AiocbRef;
use super::{cancellation, glibc_aio, waitcomplete};
use crate::c_boundary::value_or_errno;
use crate::engine::{self, Kind};
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

/// `aio_waitcomplete` of FreeBSD.
///
/// # Safety
/// `completed` is null or points to a pointer; `timeout` is null or points to a time.
pub unsafe extern "C" fn aio_waitcomplete(
    completed: *mut *mut libc::aiocb,
    timeout: *mut libc::timespec,
) -> libc::ssize_t {
    cancellation::test_cancel();
    if completed.is_null() {
        return value_or_errno(Err(Errno(libc::EINVAL)));
    }
    // SAFETY: the caller's promise.
    unsafe { completed.write(ptr::null_mut()) };
    // SAFETY: the caller's promise.
    let is_negative = !timeout.is_null() && unsafe { (*timeout).tv_sec } < 0;
    value_or_errno(if is_negative {
        Err(Errno(libc::EINVAL))
    } else if glibc_aio::serves() {
        Err(Errno(libc::ENOSYS))
    } else {
        // SAFETY: the caller's promise.
        unsafe { deadline(timeout) }.and_then(waitcomplete::next).and_then(|completion| {
            // SAFETY: the caller's promise.
            unsafe { completed.write(ptr::with_exposed_provenance_mut(completion.aiocb)) };
            if completion.result < 0 {
                Err(Errno(-completion.result as c_int))
            } else {
                Ok(completion.result as libc::ssize_t)
            }
        })
    })
}

/// A deadline for a request that was begun.
///
/// # Safety
/// `time` is null or points to a time. Of the aiocb only the address counts.
pub unsafe extern "C" fn uringaio_deadline(aiocbp: *mut libc::aiocb, time: *const libc::timespec) -> c_int {
    // SAFETY: the caller's promise.
    let is_negative = !time.is_null() && unsafe { (*time).tv_sec } < 0;
    value_or_errno(match AiocbRef::at(aiocbp) {
        Some(_) if glibc_aio::serves() => Err(Errno(libc::ENOSYS)),
        Some(aiocb) if !is_negative => {
            // SAFETY: the caller's promise.
            unsafe { deadline(time) }.and_then(|deadline| match engine::started() {
                Some(engines) => super::deadline::set(engines, aiocb.address(), deadline).map(|()| 0),
                // Nothing is outstanding.
                None => Ok(0),
            })
        }
        _ => Err(Errno(libc::EINVAL)),
    })
}

crate::symbol_versions::default_version!("uringaio_deadline", "URINGAIO_0.1", uringaio_deadline);
crate::symbol_versions::default_version!("aio_readv", "URINGAIO_0.1", aio_readv);
crate::symbol_versions::default_version!("aio_waitcomplete", "URINGAIO_0.1", aio_waitcomplete);
crate::symbol_versions::default_version!("aio_writev", "URINGAIO_0.1", aio_writev);
