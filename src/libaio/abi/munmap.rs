//! `munmap`, `mprotect` and `mremap`: functions of the C library that the library replaces ([`crate::libaio::calls::unmap`]).
//!
//! All are as thread-safe and async-signal-safe as the originals, and set `errno` as they do.

use core::ffi::{c_int, c_void};

use crate::c_boundary::value_or_errno;
use crate::host::address_range::AddressRange;
use crate::libaio::calls::unmap;

/// `munmap(2)`.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn munmap(address: *mut c_void, length: usize) -> c_int {
    value_or_errno(unmap::unmap(AddressRange::new(address as usize, length)).map(|_| 0))
}

/// `mprotect(2)`.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn mprotect(address: *mut c_void, length: usize, protection: c_int) -> c_int {
    value_or_errno(unmap::protect(AddressRange::new(address as usize, length), protection).map(|_| 0))
}

/// `mremap(2)`. Its fifth argument, if it has one, is a pointer. Without `MREMAP_FIXED` a caller need not have given it, and
/// the kernel looks at it all the same for `MREMAP_DONTUNMAP`.
#[cfg_attr(not(feature = "libaio-abi"), unsafe(no_mangle))]
pub extern "C" fn mremap(old: *mut c_void, old_length: usize, length: usize, flags: c_int, new: usize) -> *mut c_void {
    let new = if flags & libc::MREMAP_FIXED == 0 { 0 } else { new };
    let old = AddressRange::new(old as usize, old_length);
    value_or_errno(unmap::remap(old, length, flags, new).map(|address| address as *mut c_void))
}
