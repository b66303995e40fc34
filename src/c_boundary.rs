//! What the exported C functions have in common: how they return a result, and how they call the original.

use core::ffi::{c_int, c_long, c_void};

use crate::host::kernel::Errno;

/// What a C function returns, and the value of it that means "failed, see `errno`".
pub trait CReturn {
    /// That value.
    const FAILED: Self;
}

impl CReturn for c_int {
    const FAILED: Self = -1;
}

impl CReturn for c_long {
    const FAILED: Self = -1;
}

impl CReturn for isize {
    const FAILED: Self = -1;
}

impl CReturn for *mut c_void {
    const FAILED: Self = libc::MAP_FAILED;
}

/// Returns as the C library does: the value, or [`CReturn::FAILED`] with the error in `errno`.
#[inline]
pub fn value_or_errno<T: CReturn>(result: Result<T, Errno>) -> T {
    result.unwrap_or_else(|Errno(number)| {
        // SAFETY: errno is this thread's own.
        unsafe { *libc::__errno_location() = number };
        T::FAILED
    })
}

/// What a function of the C library's has answered that returns -1 where it has failed, and 0 otherwise.
#[inline]
pub fn answer_of(result: c_int) -> Result<usize, Errno> {
    // SAFETY: errno is this thread's own.
    if result == -1 { Err(Errno(unsafe { *libc::__errno_location() })) } else { Ok(0) }
}

/// Returns as libaio does: the value, or `-errno`. `errno` stays as it is.
#[inline]
pub fn value_or_negated_errno(result: Result<usize, Errno>) -> c_int {
    result.map_or_else(|Errno(number)| -number, |value| value as c_int)
}

/// Calls the function behind ours, which a [`Next`](crate::host::dlsym_next::Next) finds:
/// `call_original!(CLOSE, fn(fd: c_int) -> c_int, else libc::SYS_close)`. Where the program has none (it is linked
/// statically), makes the system call with this number; without a number, fails with `ENOSYS`.
#[cfg_attr(feature = "libaio-abi", allow(unused_macros, reason = "the drop-in has the libaio face alone"))]
macro_rules! call_original {
    ($next:ident, fn($($argument:ident: $type:ty),*) -> $result:ty) => {
        $crate::c_boundary::call_original!(@or $next, fn($($argument: $type),*) -> $result,
            Err($crate::host::kernel::Errno(libc::ENOSYS)))
    };
    ($next:ident, fn($($argument:ident: $type:ty),*) -> $result:ty, else $number:expr) => {
        $crate::c_boundary::call_original!(@or $next, fn($($argument: $type),*) -> $result,
            // SAFETY: what the program asked for.
            unsafe { $crate::host::kernel::syscall!($number, $($argument),*) }.map(|value| value as $result))
    };
    (@or $next:ident, fn($($argument:ident: $type:ty),*) -> $result:ty, $otherwise:expr) => {
        match $next.get() {
            Some(found) => {
                // SAFETY: the C library's function of this name has this signature, and the arguments are the program's.
                unsafe {
                    core::mem::transmute::<*mut core::ffi::c_void, unsafe extern "C" fn($($type),*) -> $result>(found)(
                        $($argument),*
                    )
                }
            }
            None => $crate::c_boundary::value_or_errno::<$result>($otherwise),
        }
    };
}

pub(crate) use call_original;
